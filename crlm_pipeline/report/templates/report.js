"use strict";
(() => {
  // Theme: the choice holds for every page of the report, where the browser lets a file remember anything.
  const root = document.documentElement;
  const remember = (value) => { try { localStorage.setItem("crlm-theme", value); } catch { /* not remembered */ } };
  const remembered = () => { try { return localStorage.getItem("crlm-theme") || ""; } catch { return ""; } };
  const paint = (theme) => { if (theme) root.dataset.theme = theme; else delete root.dataset.theme; };
  paint(remembered());

  const make = (tag, properties, ...children) => {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children);
    return made;
  };

  const offerThemes = () => {
    const choice = document.getElementById("theme");
    if (!choice) return;
    choice.value = remembered();
    choice.parentElement.hidden = false;
    choice.addEventListener("change", () => { paint(choice.value); remember(choice.value); });
  };

  // A number sorts by its value, "<5" just below 5; what is hidden or missing stands last whichever way.
  const valueOf = (cell, isNumber) => {
    const text = cell.textContent.trim();
    if (!isNumber) return text === "\u2013" ? null : text;
    const number = parseFloat(text.replace(/^[<>]/, ""));
    return Number.isNaN(number) ? null : number - (text.startsWith("<") ? 0.5 : 0);
  };
  const compare = (a, b, direction) => {
    if (a === null || b === null) return (a === null) - (b === null);
    return direction * (typeof a === "number" ? a - b : a.localeCompare(b, "en", { numeric: true }));
  };

  const sortBy = (table, head) => {
    const place = head.cellIndex;
    const isNumber = head.classList.contains("number");
    const before = head.getAttribute("aria-sort");
    const isDescending = before ? before === "ascending" : isNumber;
    for (const other of head.parentElement.cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", isDescending ? "descending" : "ascending");
    const body = table.tBodies[0];
    const rows = [...body.rows].map((row) => ({ row, value: valueOf(row.cells[place], isNumber) }));
    rows.sort((a, b) => compare(a.value, b.value, isDescending ? -1 : 1));
    body.append(...rows.map((one) => one.row));
  };

  const offerSorting = (table) => {
    for (const head of table.tHead.rows[0].cells) {
      if (head.classList.contains("drawing")) continue;
      const button = make("button", { type: "button", className: "sort" }, ...head.childNodes);
      button.addEventListener("click", () => sortBy(table, head));
      head.append(button);
    }
  };

  // A cell of some columns holds several values, one after the other.
  const valuesOf = (cell, isSeveral) => (isSeveral ? cell.textContent.split(",") : [cell.textContent]).map((one) => one.trim());
  const choices = (table) => [...table.tHead.rows[0].cells].filter((head) => "choose" in head.dataset).map((head) => {
    const place = head.cellIndex;
    const isSeveral = head.dataset.choose === "several";
    const values = [...new Set([...table.tBodies[0].rows].flatMap((row) => valuesOf(row.cells[place], isSeveral)))].filter(Boolean);
    if (values.length < 2 || values.length === table.tBodies[0].rows.length) return null;
    values.sort((a, b) => compare(a, b, 1));
    const select = make("select", {}, make("option", { value: "" }, "All"), ...values.map((value) => make("option", {}, value)));
    return { place, isSeveral, select, label: make("label", {}, `${head.textContent.trim()} `, select) };
  }).filter(Boolean);

  const FILTER_FROM = 8;
  const offerFilter = (table, frame) => {
    const rows = [...table.tBodies[0].rows];
    const chosen = choices(table);
    if (rows.length < FILTER_FROM && !chosen.length) return;
    const search = make("input", { type: "search" });
    const told = make("output", {});
    const narrow = () => {
      const words = search.value.trim().toLowerCase();
      let shown = 0;
      for (const row of rows) {
        const isChosen = chosen.every(({ place, isSeveral, select }) =>
          !select.value || valuesOf(row.cells[place], isSeveral).includes(select.value));
        row.hidden = !(isChosen && row.textContent.toLowerCase().includes(words));
        shown += !row.hidden;
      }
      told.textContent = shown === rows.length ? "" : `${shown} of ${rows.length} rows`;
    };
    const tools = make("div", { className: "tools" });
    if (rows.length >= FILTER_FROM) tools.append(make("label", {}, "Filter ", search));
    tools.append(...chosen.map(({ label }) => label), told);
    tools.addEventListener("input", narrow);
    frame.before(tools);
  };

  // Tooltips: a drawing's marks say what they are under the pointer, and one after the other with the arrow keys.
  const explain = (drawing) => {
    const marks = [...drawing.querySelectorAll("title")].map((title) => {
      const mark = title.parentElement;
      mark.dataset.tip = title.textContent;
      title.remove();
      return mark;
    });
    if (!marks.length) return;
    const tip = make("div", { className: "tip", hidden: true });
    tip.setAttribute("role", "status");
    document.body.append(tip);
    let at = -1;
    const hide = () => { tip.hidden = true; for (const mark of marks) mark.classList.remove("pointed"); };
    const show = (mark) => {
      hide();
      mark.classList.add("pointed");
      tip.textContent = mark.dataset.tip;
      tip.hidden = false;
      const box = mark.getBoundingClientRect();
      const left = box.left + box.width / 2 - tip.offsetWidth / 2;
      tip.style.left = `${scrollX + Math.max(4, Math.min(left, innerWidth - tip.offsetWidth - 4))}px`;
      tip.style.top = `${scrollY + Math.max(4, box.top - tip.offsetHeight - 8)}px`;
      at = marks.indexOf(mark);
    };
    drawing.addEventListener("pointerover", (event) => ("tip" in event.target.dataset ? show(event.target) : hide()));
    drawing.addEventListener("pointerleave", hide);
    drawing.addEventListener("blur", hide);
    drawing.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (event.key === "Escape") hide();
      if (!step) return;
      event.preventDefault();
      show(marks[(at + step + marks.length) % marks.length]);
    });
  };

  // A link to something folded opens it.
  const unfoldTarget = () => {
    const target = location.hash && document.getElementById(location.hash.slice(1));
    if (target && target.matches("details")) target.open = true;
  };

  // Paper shows what is folded on the screen.
  const unfoldForPaper = () => {
    const folded = () => document.querySelectorAll("details:not([open])");
    let opened = [];
    addEventListener("beforeprint", () => { opened = [...folded()]; for (const one of opened) one.open = true; });
    addEventListener("afterprint", () => { for (const one of opened) one.open = false; });
  };

  document.addEventListener("DOMContentLoaded", () => {
    offerThemes();
    unfoldForPaper();
    unfoldTarget();
    addEventListener("hashchange", unfoldTarget);
    for (const drawing of document.querySelectorAll(".scroll.drawing")) explain(drawing);
    for (const table of document.querySelectorAll(".table table")) {
      if (table.tBodies[0].rows.length < 2) continue;
      offerFilter(table, table.parentElement);
      offerSorting(table);
    }
  });
})();
