-- title: A share in percent with its Wilson 95 % interval.
-- grain: one value: a struct of percent, ci_low and ci_high; unknown where the total is 0 or the part unknown
-- parameter: part: count
-- parameter: total: count of which it is a part
-- example: select unnest(mart.share_of(15, 20))
select
    case
        when $total > 0 and $part is not null then {
            'percent': 100 * $part / $total,
            'ci_low': 100 * greatest(0, mart.wilson_end($part, $total, -1.959963984540054)),
            'ci_high': 100 * least(1, mart.wilson_end($part, $total, 1.959963984540054))
        }
    end
