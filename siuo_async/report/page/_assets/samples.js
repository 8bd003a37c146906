"use strict";
// The browser of samples. Only the index is read at the start; texts are read block by block when they are shown or searched, and
// become text nodes, never markup. Of the list only the rows in view exist.
(() => {
  const get = (id) => document.getElementById(id);
  const data = JSON.parse(get("index").textContent);
  const N = data.ids.length, M = data.models.length, ROW = 66;
  const CUT = 1 << 5, FLIPPED = 1 << 6, PENDING = 1 << 8;
  const [list, rows, space, one, browser] = ["list", "rows", "space", "one"].map(get).concat(document.querySelector(".browser"));
  const form = { q: get("q"), apart: get("f-apart"), model: get("f-model"), category: get("f-category"), outcome: get("f-outcome"), verdict: get("f-verdict"), cut: get("f-cut"), flipped: get("f-flipped") };
  const categories = data.categories;
  const lowered = data.ids.map((id, at) => (id + "\n" + categories[data.category[at]]).toLowerCase());

  const make = (tag, name, text) => {
    const made = document.createElement(tag);
    if (name) made.className = name;
    if (text !== undefined) made.textContent = text;
    return made;
  };

  // Blocks: parsed when needed, a few kept.
  const parsed = new Map();
  const block = (name) => {
    let found = parsed.get(name);
    if (found === undefined) {
      found = JSON.parse(get(name).textContent);
      if (parsed.size > 48) parsed.delete(parsed.keys().next().value);
      parsed.set(name, found);
    }
    return found;
  };
  const sample = (at) => block("b" + data.places[at][0])[data.places[at][1]];

  // Filters.
  const fill = (select, entries) => select.replaceChildren(...entries.map(([value, words]) => Object.assign(make("option", "", words), { value })));
  const count = (test) => data.apart.reduce((sum, value) => sum + (test(value) ? 1 : 0), 0);
  const either = count((value) => value > 0);
  fill(form.apart, [["all", `all samples (${N.toLocaleString("en")})`], ["any", `disagreements (${either.toLocaleString("en")})`], ["1", `models disagree (${count((v) => v & 1).toLocaleString("en")})`], ["2", `judges disagree (${count((v) => v & 2).toLocaleString("en")})`]]);
  fill(form.model, [["", "any model"], ...data.models.map((name, at) => [String(at), name])]);
  fill(form.category, [["", "any category"], ...categories.map((name, at) => [String(at), name])]);
  fill(form.outcome, [["", "any outcome"], ...data.outcomes.map((name, at) => [String(1 << at), name]), [String(PENDING), "pending"]]);
  fill(form.verdict, [["", "any verdict"], ...data.kinds.map((name, at) => [String(1 << at), name])]);
  const defaults = () => { form.apart.value = either ? "any" : "all"; };

  let shown = [], selected = -1, hits = null, searching = 0;
  const matches = (at) => {
    const apart = form.apart.value;
    if (apart === "any" ? !data.apart[at] : apart !== "all" && !(data.apart[at] & Number(apart))) return false;
    if (form.category.value && data.category[at] !== Number(form.category.value)) return false;
    if (hits && !hits[at]) return false;
    const outcome = Number(form.outcome.value), verdict = Number(form.verdict.value);
    const must = (form.cut.checked ? CUT : 0) | (form.flipped.checked ? FLIPPED : 0);
    if (!outcome && !verdict && !must && !form.model.value) return true;
    const fits = (model) => (!outcome || data.bits[at][model] & outcome) && (!verdict || data.verdicts[at][model] & verdict) && (data.bits[at][model] & must) === must;
    if (form.model.value) return Boolean(fits(Number(form.model.value)));
    for (let model = 0; model < M; model += 1) if (fits(model)) return true;
    return false;
  };
  const apply = (keep) => {
    shown = [];
    for (let at = 0; at < N; at += 1) if (matches(at)) shown.push(at);
    space.style.height = `${shown.length * ROW}px`;
    get("count").textContent = `${shown.length.toLocaleString("en")} of ${N.toLocaleString("en")}`;
    const first = shown.length ? (keep && shown.includes(selected) ? selected : shown[0]) : -1;
    if (first !== selected || first < 0) select(first, { quiet: true });
    else draw();
    if (first >= 0) reveal(first);
  };

  // Search: ids and categories at once, texts block by block, so that the page never stands still.
  const strings = (value, found) => {
    if (typeof value === "string") found.push(value);
    else if (value && typeof value === "object") for (const inner of Object.values(value)) strings(inner, found);
    return found;
  };
  const search = async () => {
    const wanted = form.q.value.trim().toLowerCase(), turn = (searching += 1);
    const done = (found) => { hits = found; apply(true); list.dataset.searched = wanted; };
    if (!wanted) { done(null); return; }
    const found = new Uint8Array(N);
    for (let at = 0; at < N; at += 1) found[at] = lowered[at].includes(wanted) ? 1 : 0;
    if (data.content) {
      let until = performance.now() + 24, last = -1, plain = true;
      // A block's JSON is looked through as it stands where it would hold the words unchanged, so that most blocks are never parsed.
      const simple = /^[a-z0-9 .,:;()\-_!?]+$/.test(wanted);
      for (let at = 0; at < N; at += 1) {
        const number = data.places[at][0];
        if (number !== last) {
          last = number;
          plain = simple && !get("b" + number).textContent.toLowerCase().includes(wanted);
          if (performance.now() > until) {
            get("count").textContent = `searching … ${Math.round((100 * at) / N)}%`;
            await new Promise((go) => setTimeout(go));
            if (turn !== searching) return;
            until = performance.now() + 24;
          }
        }
        if (plain || found[at]) continue;
        const entry = sample(at);
        for (const text of strings([entry.q, entry.f, entry.t.map((take) => [take.n, (take.a || []).map((a) => [a.t, a.r, (a.v || []).map((v) => [v.t, (v.o || []).map((o) => [o.j, o.t])])])])], [])) {
          if (text.toLowerCase().includes(wanted)) { found[at] = 1; break; }
        }
      }
    }
    done(found);
  };

  // The list.
  const word = (value) => (value === null ? ["none", "undecided"] : value >= 1 ? ["pass", "1"] : value <= 0 ? ["fail", "0"] : ["part", value.toFixed(2)]);
  const dot = (at, model) => {
    const [kind, words] = data.bits[at][model] & PENDING ? ["none", "pending"] : word(data.scores[at][model]);
    const made = make("span", `dot ${kind}`);
    made.title = `${data.models[model]}: ${words}`;
    return made;
  };
  const row = (at, place) => {
    const made = make("div", "row");
    made.setAttribute("role", "option");
    made.setAttribute("aria-selected", String(at === selected));
    made.setAttribute("aria-posinset", String(place + 1));
    made.setAttribute("aria-setsize", String(shown.length));
    made.id = `row-${at}`;
    made.dataset.at = String(at);
    const line = make("div", "line"), dots = make("span", "dots");
    for (let model = 0; model < Math.min(M, 12); model += 1) dots.append(dot(at, model));
    line.append(make("span", "id", data.ids[at]), make("span", "cat", categories[data.category[at]]), dots);
    made.append(line, make("div", "snippet", data.snippets[at] || said(at)));
    return made;
  };
  const said = (at) => ["", "models disagree", "judges disagree", "models and judges disagree"][data.apart[at]];
  const draw = () => {
    const from = Math.max(0, Math.floor(list.scrollTop / ROW) - 6), to = Math.min(shown.length, from + Math.ceil(list.clientHeight / ROW) + 12);
    rows.style.transform = `translateY(${from * ROW}px)`;
    rows.replaceChildren(...shown.slice(from, to).map((at, place) => row(at, from + place)));
    if (get(`row-${selected}`)) list.setAttribute("aria-activedescendant", `row-${selected}`);
    else list.removeAttribute("aria-activedescendant");
  };
  const reveal = (at) => {
    const top = shown.indexOf(at) * ROW;
    if (top < list.scrollTop) list.scrollTop = top;
    else if (top + ROW > list.scrollTop + list.clientHeight) list.scrollTop = top + ROW - list.clientHeight;
    draw();
  };
  let waiting = false;
  list.addEventListener("scroll", () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => { waiting = false; draw(); });
  });
  new ResizeObserver(draw).observe(list);
  list.addEventListener("click", (event) => {
    const found = event.target.closest(".row");
    if (found) { select(Number(found.dataset.at), { open: true }); }
  });

  // One sample.
  const chip = (words, tone) => make("span", `chip${tone === 1 ? " good" : tone === 0 ? " bad" : ""}`, words);
  const text = (words, kind = "") => Object.assign(make("div", `text ${kind}`, words), { dir: "auto" });
  const facts = (entries, kind) => {
    const made = make("dl", kind);
    for (const [name, value] of entries) {
      const shownValue = make("dd");
      shownValue.append(text(value));
      made.append(make("dt", "", name), shownValue);
    }
    return made;
  };
  const folded = (words, ...inside) => {
    const made = make("details", "judged");
    made.append(make("summary", "", words), ...inside);
    return made;
  };
  const answer = (found, number, of) => {
    const made = make("div", "answer"), chips = make("p", "chips");
    const name = data.outcomes[found.o];
    chips.append(chip(of > 1 ? `${number + 1} of ${of}: ${name}` : name));
    if (found.w) chips.append(chip(`filtered: ${found.w}`));
    if (found.x) chips.append(chip("cut by the cap"));
    const reasons = [];
    for (const verdict of found.v || []) {
      chips.append(chip(`${verdict.s}: ${verdict.v}${verdict.u ? " (rule)" : ""}${verdict.re ? " (asked again)" : ""}${verdict.b ? ` (${verdict.b})` : ""}`, verdict.g));
      if (verdict.t) reasons.push(make("b", "", verdict.s), text(verdict.t));
      for (const opinion of verdict.o || []) {
        const line = make("p", "chips");
        line.append(chip(`${verdict.s}, ${opinion.j} (${opinion.b}): ${opinion.v}`, opinion.g));
        reasons.push(line);
        if (opinion.t && opinion.t !== verdict.t) reasons.push(text(opinion.t));
      }
    }
    made.append(chips);
    if (found.t) made.append(text(found.t));
    else if (data.content) made.append(make("p", "none-here", "no text"));
    if (found.r) made.append(make("p", "none-here", `the provider's word: ${found.r}`));
    if (reasons.length) made.append(folded(data.content ? "What the judge said" : "Every judge", ...reasons));
    return made;
  };
  const take = (found, at, model) => {
    const made = make("section", "take"), head = make("h4");
    head.append(dot(at, model), make("span", "", data.models[model]));
    made.append(head);
    const cost = found.c === null ? "cost unknown" : `$${found.c.toFixed(found.c < 1 ? 5 : 2)}`;
    made.append(make("p", "facts", `${found.k[0]} → ${found.k[1]} tokens · judge ${found.k[2]} → ${found.k[3]} · ${cost} · ${found.l.toFixed(1)} s`));
    const answers = found.a || [];
    if (!found.a) made.append(make("p", "none-here", "pending"));
    answers.forEach((each, number) => made.append(answer(each, number, answers.length)));
    if (found.n) made.append(folded("Notes", facts(Object.entries(found.n), "notes")));
    return made;
  };
  const picture = (name) => {
    const from = data.pictures[name], made = make("img");
    if (from === undefined) return make("p", "none-here", "picture not in this file");
    made.src = block("p" + from)[name];
    made.alt = "The picture of this sample, made smaller";
    return made;
  };
  const show = (at) => {
    if (at < 0) { one.replaceChildren(make("p", "empty", "No sample fits these filters.")); return; }
    const entry = sample(at), head = make("div", "one-head"), title = make("h3", "", data.ids[at]);
    const link = Object.assign(make("a", "", "link"), { href: anchor(at) });
    const back = Object.assign(make("button", "quiet", "← all samples"), { type: "button", id: "back" });
    back.addEventListener("click", () => { browser.classList.remove("open"); draw(); reveal(selected); });
    link.setAttribute("aria-label", `Link to sample ${data.ids[at]}`);
    head.append(title, make("span", "cat", categories[data.category[at]]), link);
    if (data.apart[at]) head.append(chip(said(at)));
    const parts = [back, head];
    if (data.content) {
      const asked = make("div", "asked");
      asked.append(...entry.p.map(picture), text(entry.q, "question"));
      parts.push(asked);
      if (Object.keys(entry.f).length) parts.push(folded("What the data say of it", facts(Object.entries(entry.f), "fields")));
    }
    const takes = make("div", "takes");
    entry.t.forEach((each, model) => takes.append(take(each, at, model)));
    one.replaceChildren(...parts, takes);
    one.scrollTop = 0;
  };
  const anchor = (at) => `#s-${encodeURIComponent(data.ids[at])}`;
  const select = (at, { quiet = false, open = false } = {}) => {
    selected = at;
    show(at);
    if (open) browser.classList.add("open");
    if (at >= 0 && !quiet) history.replaceState(null, "", anchor(at));
    if (at >= 0) reveal(at);
    else draw();
  };
  const step = (by) => {
    if (!shown.length) return;
    const place = Math.min(shown.length - 1, Math.max(0, shown.indexOf(selected) + by));
    select(shown[place]);
  };
  const follow = () => {
    if (!location.hash.startsWith("#s-")) return false;
    let id;
    try { id = decodeURIComponent(location.hash.slice(3)); } catch { return false; }
    const at = data.ids.indexOf(id);
    if (at < 0) return false;
    if (!shown.includes(at)) { get("filters").reset(); hits = null; form.apart.value = "all"; apply(false); }
    select(at, { open: true });
    get("samples").scrollIntoView();
    return true;
  };

  // Keys and events.
  let timer = 0;
  form.q.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(search, 120); });
  for (const each of [form.apart, form.model, form.category, form.outcome, form.verdict, form.cut, form.flipped]) each.addEventListener("change", () => apply(true));
  get("filters").addEventListener("reset", (event) => { event.preventDefault(); event.target.querySelectorAll("select").forEach((each) => { each.selectedIndex = 0; }); form.q.value = ""; form.cut.checked = form.flipped.checked = false; hits = null; searching += 1; apply(true); });
  get("filters").addEventListener("submit", (event) => event.preventDefault());
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || get("help").open) return;
    const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
    if (event.key === "Escape" && event.target === form.q) { form.q.blur(); return; }
    if (typing && event.target.type !== "checkbox") return;
    const inList = event.target === list;
    if (event.key === "j" || (inList && event.key === "ArrowDown")) step(1);
    else if (event.key === "k" || (inList && event.key === "ArrowUp")) step(-1);
    else if (inList && event.key === "Enter") { browser.classList.add("open"); one.focus(); }
    else if (event.key === "/") { form.q.focus(); form.q.select(); get("samples").scrollIntoView(); }
    else if (event.key === "?") get("help").showModal();
    else return;
    event.preventDefault();
  });
  window.addEventListener("hashchange", follow);

  if (data.pictures_left_out) { get("pictures-note").hidden = false; get("pictures-note").textContent = data.pictures_left_out; }
  defaults();
  apply(false);
  if (!follow()) draw();
  document.documentElement.dataset.ready = "1";
})();
