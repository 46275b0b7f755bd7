"""The walk down a ladder: from the truth of its rules to the candidates and the verdict (semantics, order 5 and 6)."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from crlm_pipeline.guidelines.standing import RuleStanding, Standing
from crlm_pipeline.guidelines.truth import Truth

NO_RULE = "no_rule"
NOT_EVALUABLE = "not_evaluable"

_VERDICTS = {
    Standing.PREFERRED: "concordant_preferred",
    Standing.ALTERNATIVE: "concordant_alternative",
    Standing.INVESTIGATIONAL: NO_RULE,
    Standing.NOT_RECOMMENDED: "discordant_not_recommended",
    Standing.NONE: "discordant_not_given",
}


@dataclass(frozen=True, slots=True, order=True)
class Match:
    """The best match so far and the rule it came from; the kinder wins, then the higher rule."""

    standing: Standing
    rule_no: int | None = field(compare=False)


@dataclass(frozen=True, slots=True)
class Ending:
    """One way in which the walk can end. `rule_no` unknown: the unwritten rule at the end of every ladder."""

    verdict: str
    rule_no: int | None
    standing: Standing


@dataclass(frozen=True, slots=True)
class Walk:
    """Every ending of a walk and the rules in play.

    `candidates`: the unknown rules that could decide and the one that decides otherwise (unknown: the unwritten rule);
    `added`: true rules that demand nothing, whose options were added to those below.
    """

    endings: tuple[Ending, ...]
    candidates: tuple[int | None, ...]
    added: tuple[int, ...]

    @property
    def verdicts(self) -> frozenset[str]:
        """The verdicts that are still possible; one means that it stands."""
        return frozenset(ending.verdict for ending in self.endings)


def walk(rules: Iterable[tuple[int, Truth, RuleStanding]], *, is_nothing_given: bool = False) -> Walk:
    """Walk the ladder over the rules that are not false: number, truth and how the treatment stands to each.

    `is_nothing_given`: a local decision whose window closed with nothing done. It is then judged only where a
    procedure is preferred.
    """
    live = {Match(Standing.NONE, None)}
    endings: list[Ending] = []
    candidates: list[int | None] = []
    added: list[int] = []
    for number, truth, standing in rules:
        if not standing.ways:
            continue
        excused = is_nothing_given and not standing.is_demanded_procedure
        ended, passed = _apply(number, standing, live, excused=excused)
        if truth is None and not ended and passed <= live:
            continue
        endings += ended
        if ended or truth is None:
            candidates.append(number)
        else:
            added.append(number)
        live = live | passed if truth is None else passed
        if not live:
            break
    if live:
        candidates.append(None)
        endings += [_unwritten(match) for match in live]
    return Walk(tuple(dict.fromkeys(endings)), tuple(candidates), tuple(added))


def _apply(number: int, standing: RuleStanding, live: set[Match], *, excused: bool) -> tuple[list[Ending], set[Match]]:
    ended: list[Ending] = []
    passed: set[Match] = set()
    for own, demands in sorted(standing.ways):
        for match in sorted(live):
            best = Match(own, number) if own > match.standing else match
            if not demands:
                passed.add(best)
                continue
            verdict = NO_RULE if excused and best.standing is Standing.NONE else _VERDICTS[best.standing]
            decider = number if best.standing is Standing.NONE or best.rule_no is None else best.rule_no
            ended.append(Ending(verdict, decider, best.standing))
    return ended, passed


def _unwritten(match: Match) -> Ending:
    if match.standing is Standing.ALTERNATIVE or match.standing is Standing.PREFERRED:
        return Ending(_VERDICTS[match.standing], match.rule_no, match.standing)
    return Ending(NO_RULE, match.rule_no if match.standing is Standing.INVESTIGATIONAL else None, match.standing)
