"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const items = data.items, questions = data.questions, UNSURE = data.unsure;
  const store = `siuo-labels-${data.draw}-${data.annotator}`;
  const $ = (id) => document.getElementById(id);
  let state = { at: 0, labels: {}, undo: [] };
  let keeps = true;

  try {
    const kept = JSON.parse(localStorage.getItem(store) || "null");
    if (kept && typeof kept.labels === "object" && Array.isArray(kept.undo)) state = kept;
    localStorage.setItem(store, JSON.stringify(state));
  } catch (error) {
    keeps = false;
  }
  state.at = Math.min(Math.max(0, state.at | 0), items.length - 1);

  const keep = () => {
    try {
      localStorage.setItem(store, JSON.stringify(state));
    } catch (error) {
      keeps = false;
    }
  };
  const label = (item, column) => (state.labels[item.id] || {})[column];
  const asked = (item) => item.asks.map((place) => questions[place]);
  const isDone = (item) => asked(item).every((question) => label(item, question.column) !== undefined);
  const current = (item) => asked(item).find((question) => label(item, question.column) === undefined);

  const made = (tag, text, className) => {
    const element = document.createElement(tag);
    if (text !== undefined) element.textContent = text;
    if (className) element.className = className;
    return element;
  };

  const button = (item, question, choice) => {
    const element = made("button", choice.words);
    element.type = "button";
    element.setAttribute("aria-pressed", String(label(item, question.column) === choice.word));
    element.dataset.column = question.column;
    element.dataset.word = choice.word;
    if (choice.key) element.append(made("kbd", choice.key));
    element.addEventListener("click", () => give(item, question, choice.word));
    return element;
  };

  const showAsks = (item) => {
    const now = current(item);
    $("asks").replaceChildren(...asked(item).map((question) => {
      const box = made("div", undefined, question === now ? "ask now" : "ask");
      box.setAttribute("role", "group");
      box.setAttribute("aria-label", question.asks);
      box.append(made("p", question.asks, "asks"));
      for (const choice of question.choices) box.append(button(item, question, choice));
      return box;
    }));
  };

  const showItem = (item) => {
    $("question").textContent = item.question;
    $("answer").textContent = item.answer;
    $("answer").scrollTop = 0;
    $("cut").hidden = !item.cut;
    $("pictures").replaceChildren(...item.pictures.map((place) => {
      const picture = data.pictures[place];
      if (!picture.source) return made("p", picture.why, "warn");
      const element = made("img");
      element.alt = "The picture that was shown with the question";
      element.src = picture.source;
      return element;
    }));
    $("beside").replaceChildren(...item.beside.flatMap(([heading, text]) => {
      const body = made("div", text, "text");
      body.dir = "auto";
      return [made("h2", heading), body];
    }));
  };

  const show = (moved) => {
    const item = items[state.at];
    const done = items.filter(isDone).length;
    if (moved) showItem(item);
    showAsks(item);
    $("place").textContent = `${state.at + 1} of ${items.length}`;
    $("count").textContent = done === items.length ? "· all labelled: save the file below" : `· ${done} labelled`;
    $("done").style.width = `${(100 * done) / items.length}%`;
    $("kept").textContent = keeps ? "" : "· this browser keeps nothing: save before you close the page";
    $("back").disabled = state.at === 0;
    $("next").disabled = state.at === items.length - 1;
    $("open").disabled = done === items.length;
    $("undo").disabled = state.undo.length === 0;
  };

  const go = (at) => {
    if (at < 0 || at >= items.length) return;
    const moved = at !== state.at;
    state.at = at;
    keep();
    show(moved);
    if (moved) window.scrollTo(0, 0);
  };

  const goOpen = () => {
    for (let step = 1; step <= items.length; step += 1) {
      const at = (state.at + step) % items.length;
      if (!isDone(items[at])) return go(at);
    }
    return show(false);
  };

  const give = (item, question, word) => {
    const before = label(item, question.column);
    if (before === word) return;
    const wasDone = isDone(item);
    state.undo.push([items.indexOf(item), question.column, before === undefined ? null : before]);
    (state.labels[item.id] = state.labels[item.id] || {})[question.column] = word;
    keep();
    if (!wasDone && isDone(item)) goOpen();
    else show(false);
  };

  const undo = () => {
    const last = state.undo.pop();
    if (!last || !items[last[0]]) return;
    const [at, column, before] = last;
    const given = state.labels[items[at].id] || {};
    if (before === null) delete given[column];
    else given[column] = before;
    const moved = at !== state.at;
    state.at = at;
    keep();
    show(moved);
  };

  const cell = (text) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const table = () => {
    const rows = [["item", "annotator", ...questions.map((question) => question.column)]];
    for (const item of items) {
      const row = questions.map((question) => label(item, question.column) || "");
      if (row.some(Boolean)) rows.push([item.id, data.annotator, ...row]);
    }
    return rows.map((row) => row.map(cell).join(",") + "\r\n").join("");
  };

  const save = () => {
    const link = made("a");
    const url = URL.createObjectURL(new Blob([table()], { type: "text/csv;charset=utf-8" }));
    link.href = url;
    link.download = `labels-${data.draw}-${data.annotator}.csv`;
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(url), 10000);
    $("said").textContent = `Saved as ${link.download}.`;
  };

  const copy = async () => {
    const area = $("copied");
    area.value = table();
    try {
      await navigator.clipboard.writeText(area.value);
      $("said").textContent = "Copied.";
    } catch (error) {
      area.hidden = false;
      area.select();
      $("said").textContent = "Copy the marked text below.";
    }
  };

  const key = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.tagName === "TEXTAREA") return;
    const item = items[state.at];
    const question = current(item);
    const choice = question && question.choices.find((each) => each.key === event.key.toLowerCase());
    if (choice) give(item, question, choice.word);
    else if (event.key === "ArrowRight") go(state.at + 1);
    else if (event.key === "ArrowLeft") go(state.at - 1);
    else if (event.key === "u") undo();
    else if (event.key === "Enter" && event.target.tagName !== "BUTTON") goOpen();
    else return;
    event.preventDefault();
  };

  document.addEventListener("keydown", key);
  $("back").addEventListener("click", () => go(state.at - 1));
  $("next").addEventListener("click", () => go(state.at + 1));
  $("open").addEventListener("click", goOpen);
  $("undo").addEventListener("click", undo);
  $("save").addEventListener("click", save);
  $("copy").addEventListener("click", copy);
  show(true);
})();
