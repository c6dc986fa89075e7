// The review desk: gathers what a person decides, asks once more, and sends it. All rules are the server's.
"use strict";

const $ = (selector, within = document) => within.querySelector(selector);
const $$ = (selector, within = document) => [...within.querySelectorAll(selector)];
const made = (tag, facts = {}, ...children) => {
  const element = Object.assign(document.createElement(tag), facts);
  element.append(...children);
  return element;
};
const plural = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;
const placeOf = (list) => `${list.dataset.unit}, ${list.dataset.shift}`;
const shownLists = () => $$(".list.open").filter((list) => !list.hidden);
const verdictOf = (list) => $("input[type=radio]:checked", list).value;

// --- What was decided so far -----------------------------------------------------------------------------

const reasonFields = () => $("#reason-fields").content.cloneNode(true);
const reasonIn = (element) => ({
  reason: $("[data-reason]", element)?.value ?? "",
  text: $("[data-text]", element)?.value.trim() ?? "",
});

function changesOf(list) {
  const changed = $$("tr.change", list).map((row) => ({
    action: row.dataset.action,
    area_id: row.dataset.area,
    ...reasonIn(row),
    cells: JSON.parse(row.dataset.cells ?? "[]"),
    to_rank: row.dataset.action === "reorder" ? Number($("[data-rank]", row).value) || null : null,
  }));
  const added = $$("tr.added", list).map((row) => ({
    action: "add",
    area_id: row.dataset.area,
    ...reasonIn(row),
    cells: JSON.parse(row.dataset.cells ?? "[]"),
    name: $("[data-name]", row).value.trim(),
    offence_group: $("[data-group]", row).value,
  }));
  return [...changed, ...added];
}

function decisions() {
  return shownLists().filter((list) => verdictOf(list) !== "later").map((list) => {
    const reject = verdictOf(list) === "reject";
    return {
      date: list.dataset.date, unit: list.dataset.unit, shift: list.dataset.shift,
      decision: verdictOf(list),
      areas_seen: list.dataset.hash, decisions_seen: Number(list.dataset.round),
      changes: reject ? [] : changesOf(list),
      ...(reject ? reasonIn($(".why-not", list)) : {}),
    };
  });
}

function sum() {
  const all = decisions();
  const count = (verdict) => all.filter((each) => each.decision === verdict).length;
  const changes = all.reduce((total, each) => total + each.changes.length, 0);
  const later = shownLists().length - all.length;
  const parts = [`approve ${count("approve")}`, `reject ${count("reject")}`, `not now ${later}`, plural(changes, "change")];
  $("#sum").textContent = shownLists().length ? parts.join(" · ") : "Nothing waits for a decision here.";
  $("#go").disabled = all.length === 0;
}

// --- Changes -----------------------------------------------------------------------------------------------

function mark(list, area, state) {
  for (const element of $$(`[data-area="${CSS.escape(area)}"]:not(tr.change)`, list)) {
    element.classList.remove("dropped", "changed");
    if (state) element.classList.add(state);
  }
}

function change(select) {
  const row = select.closest("tr"), list = row.closest(".list"), action = select.value;
  $(`tr.change[data-area="${CSS.escape(row.dataset.area)}"]`, list)?.remove();
  mark(list, row.dataset.area, action === "drop" ? "dropped" : action && "changed");
  if (action) {
    const cell = made("td", { colSpan: 3 });
    const fields = made("tr", { className: "change" }, cell);
    Object.assign(fields.dataset, { action, area: row.dataset.area });
    if (action === "reorder") {
      const rank = made("input", { type: "number", min: 1, value: row.dataset.rank });
      rank.dataset.rank = "";
      rank.style.width = "4.5rem";
      cell.append(made("label", {}, "To rank ", rank), " ");
    }
    if (action === "move") cell.append(picking(fields, list), " ");
    cell.append(reasonFields());
    row.after(fields);
    $("button, input, select", fields).focus();
  }
  sum();
}

function picking(row, list) {
  const button = made("button", { type: "button", textContent: "Choose cells" });
  button.dataset.pick = "";
  const said = made("span", { textContent: " no cells chosen" });
  said.dataset.picked = "";
  return made("span", {}, button, said);
}

function add(list) {
  const row = $("#added-row").content.cloneNode(true).firstElementChild;
  const number = 1 + Number(list.dataset.added ?? 0);
  list.dataset.added = number;
  row.dataset.area = `${list.dataset.unit}-${list.dataset.shift}-added-${Number(list.dataset.round) + 1}-${number}`;
  $("[data-reasons]", row).append(reasonFields());
  $("tbody", list).append(row);
  $("[data-name]", row).focus();
  sum();
}

function verdict(list) {
  const reject = verdictOf(list) === "reject", words = $(".why-not", list);
  list.classList.toggle("leave", verdictOf(list) === "later");
  words.hidden = !reject;
  words.replaceChildren(...(reject ? [reasonFields()] : []));
  sum();
}

// --- Choosing cells -----------------------------------------------------------------------------------------

async function pick(row, list) {
  const { date, shift, unit } = list.dataset;
  const answer = await fetch(`/cells?${new URLSearchParams({ date, shift, unit })}`);
  if (!answer.ok) return say(await answer.text());
  const map = await answer.json();
  const chosen = new Set(JSON.parse(row.dataset.cells ?? "[]"));
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", map.box.join(" "));
  const drawn = (path, kind) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", "path");
    element.setAttribute("d", path);
    element.setAttribute("class", kind);
    svg.append(element);
    return element;
  };
  drawn(map.outline, "unit");
  const cells = map.cells.map(([id, path, x, y], index) => {
    const element = drawn(path, "cell");
    for (const [name, value] of Object.entries({ role: "checkbox", tabindex: index ? -1 : 0,
      "aria-checked": chosen.has(id), "aria-label": `cell ${index + 1} of ${map.cells.length}` })) {
      element.setAttribute(name, value);
    }
    const cell = { id, x, y, element };
    element.addEventListener("click", () => toggle(cell));
    element.addEventListener("keydown", (event) => keys(event, cell));
    return cell;
  });
  for (const area of $$("path.area", list)) {
    drawn(area.getAttribute("d"), "shadow");
  }
  const told = () => { $("#picker-sum").textContent = `${plural(chosen.size, "cell")} chosen`; };
  function toggle(cell) {
    if (!chosen.delete(cell.id)) chosen.add(cell.id);
    cell.element.setAttribute("aria-checked", chosen.has(cell.id));
    told();
  }
  function keys(event, from) {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (event.key === " ") { event.preventDefault(); toggle(from); }
    if (!way) return;
    event.preventDefault();
    const ahead = cells.map((to) => {
      const [dx, dy] = [to.x - from.x, to.y - from.y];
      const along = dx * way[0] + dy * way[1], aside = Math.abs(dx * way[1]) + Math.abs(dy * way[0]);
      return { to, cost: along > 1 ? along + 2 * aside : Infinity };
    }).reduce((best, next) => (next.cost < best.cost ? next : best));
    if (ahead.cost < Infinity) {
      from.element.setAttribute("tabindex", -1);
      ahead.to.element.setAttribute("tabindex", 0);
      ahead.to.element.focus();
    }
  }
  told();
  $("#picker-title").textContent = `Choose cells of ${placeOf(list)}`;
  $("#picker-map").replaceChildren(svg);
  $("#picker-go").onclick = () => {
    row.dataset.cells = JSON.stringify([...chosen]);
    $("[data-picked]", row).textContent = ` ${plural(chosen.size, "cell")} chosen`;
    $("#picker").close();
    sum();
  };
  $("#picker").showModal();
}

// --- Deciding ------------------------------------------------------------------------------------------------

function incomplete() {
  for (const input of $$("#name, #role")) if (!input.reportValidity()) return input;
  for (const list of shownLists().filter((each) => verdictOf(each) !== "later")) {
    const rows = verdictOf(list) === "reject" ? [$(".why-not", list)] : $$("tr.change, tr.added", list);
    for (const row of rows) {
      const { reason, text } = reasonIn(row);
      if (!reason) return $("[data-reason]", row);
      if (reason === "other" && !text) return $("[data-text]", row);
      const pick = $("[data-pick]", row);
      if (pick && JSON.parse(row.dataset.cells ?? "[]").length === 0) return pick;
      const name = $("[data-name]", row);
      if (name && !name.value.trim()) return name;
    }
  }
  return null;
}

function check() {
  $$(".missing").forEach((element) => element.classList.remove("missing"));
  const missing = incomplete();
  if (missing) {
    missing.classList.add("missing");
    missing.focus();
    return say("Something is missing: name, role, or the reason, words, name or cells of a change. It is marked.");
  }
  const all = decisions(), approved = all.filter((each) => each.decision === "approve");
  const parts = [made("p", {}, made("strong", { textContent: $("#name").value.trim() }),
    `, ${$("#role").value.trim()}, decides about ${plural(all.length, "list")} of ${all[0].date}:`)];
  const lines = [];
  const plain = approved.filter((each) => each.changes.length === 0).length;
  if (plain) lines.push(`${plural(plain, "list")} approved and issued as the model made ${plain === 1 ? "it" : "them"}`);
  for (const each of approved.filter((one) => one.changes.length)) {
    lines.push(`${each.unit}, ${each.shift}: approved and issued with ${plural(each.changes.length, "change")}`);
  }
  for (const each of all.filter((one) => one.decision === "reject")) lines.push(`${each.unit}, ${each.shift}: rejected, no sheet`);
  const later = shownLists().length - all.length;
  if (later) lines.push(`${plural(later, "list")} not now: no sheet`);
  parts.push(made("ul", {}, ...lines.map((textContent) => made("li", { textContent }))));
  $("#confirm-body").replaceChildren(...parts);
  $("#confirm-go").textContent = approved.length ? "Approve and issue" : "Reject";
  $("#confirm").showModal();
  $("#confirm-go").focus();
}

async function send(path, body, told) {
  const buttons = $$("button"), before = buttons.map((button) => button.disabled);
  buttons.forEach((button) => { button.disabled = true; });
  say("Recording it as a run in Dagster ...");
  $$("dialog[open]").forEach((dialog) => dialog.close());
  const act = { page: document.body.dataset.page, name: $("#name").value.trim(), role: $("#role").value.trim(), ...body };
  let answer;
  try {
    const response = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-Hotspot-Token": document.body.dataset.token },
      body: JSON.stringify(act),
    });
    answer = await response.json();
  } catch {
    answer = { refused: "The server does not answer; nothing is known to be decided. Load the page again." };
  }
  buttons.forEach((button, index) => { button.disabled = before[index]; });
  if (typeof answer.refused === "string") return say(answer.refused);
  sessionStorage.setItem("said", JSON.stringify([`${told(answer.kept)} Run ${answer.run}.`, ...answer.refused]));
  location.reload();
}

function say(...lines) {
  $("#said").replaceChildren(...lines.map((textContent) => made("p", { textContent })));
  if (lines.length) $("#said").scrollIntoView({ block: "nearest" });
}

function decide() {
  send("/decide", { decisions: decisions() }, (kept) =>
    `${plural(kept.reviews ?? 0, "decision")} recorded, ${plural(kept.issued_patrol_areas ?? 0, "list")} issued.`);
}

function issue(button) {
  if (!$("#name").reportValidity()) return;
  send("/issue", { reviews: [button.dataset.review] }, (kept) => `${plural(kept.issued_patrol_areas, "list")} issued.`);
}

function withdraw(button) {
  if (!$("#name").reportValidity()) return;
  $("#withdrawal-what").textContent = placeOf(button.closest(".list"));
  $("#withdrawal-reason").replaceChildren(reasonFields());
  $("#withdrawal-go").onclick = () => {
    const why = reasonIn($("#withdrawal-reason"));
    if (!why.reason) return $("#withdrawal-reason [data-reason]").focus();
    send("/withdraw", { issues: [button.dataset.issue], ...why }, (kept) => `${plural(kept.withdrawals, "issue")} withdrawn.`);
  };
  $("#withdrawal").showModal();
}

// --- What a browser remembers of a person: name, role, units and shifts ---------------------------------------

function filter() {
  const off = (kind) => $$(`[data-filter=${kind}]:not(:checked)`).map((box) => box.value);
  const hidden = { unit: off("unit"), shift: off("shift") };
  localStorage.setItem("hidden", JSON.stringify(hidden));
  for (const list of $$(".list")) list.hidden = hidden.unit.includes(list.dataset.unit) || hidden.shift.includes(list.dataset.shift);
  const shown = $$(".list:not([hidden])").length;
  if ($("#shown")) $("#shown").textContent = `(${shown} of ${$$(".list").length} lists)`;
  sum();
}

function remember() {
  for (const input of $$("#name, #role")) {
    input.value = localStorage.getItem(input.id) ?? "";
    input.addEventListener("change", () => localStorage.setItem(input.id, input.value));
  }
  const hidden = JSON.parse(localStorage.getItem("hidden") ?? "{}");
  for (const box of $$("[data-filter]")) box.checked = !(hidden[box.dataset.filter] ?? []).includes(box.value);
  const told = JSON.parse(sessionStorage.getItem("said") ?? "[]");
  sessionStorage.removeItem("said");
  say(...told);
}

document.addEventListener("change", ({ target }) => {
  if (target.matches("select.keep")) change(target);
  if (target.matches("input[type=radio]")) verdict(target.closest(".list"));
  if (target.matches("[data-filter]")) filter();
});
document.addEventListener("click", ({ target }) => {
  const button = target.closest("button");
  if (!button) return;
  const list = button.closest(".list");
  if (button.matches(".add")) add(list);
  if (button.matches("[data-undo]")) { button.closest("tr").remove(); sum(); }
  if (button.matches("[data-pick]")) pick(button.closest("tr"), list);
  if (button.matches("[data-close]")) button.closest("dialog").close();
  if (button.matches(".issue")) issue(button);
  if (button.matches(".withdraw")) withdraw(button);
  if (button.matches("#go")) check();
  if (button.matches("#confirm-go")) decide();
  for (const [kind, on] of [["all", true], ["none", false]]) {
    if (button.dataset[kind]) { $$(`[data-filter=${button.dataset[kind]}]`).forEach((box) => { box.checked = on; }); filter(); }
  }
});
document.addEventListener("mouseover", ({ target }) => {
  $$(".area.lit").forEach((path) => path.classList.remove("lit"));
  const row = target.closest?.("tr[data-area]");
  if (row) $(`path[data-area="${CSS.escape(row.dataset.area)}"]`, row.closest(".list"))?.classList.add("lit");
});
remember();
filter();
