"use strict";
// What works without the samples: light and dark, sorting tables, the copy button, the list of keys.
(() => {
  const root = document.documentElement;
  const theme = document.getElementById("theme");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : dark.matches);
  const kept = (value) => {
    try {
      if (value === undefined) return localStorage.getItem("siuo-theme");
      localStorage.setItem("siuo-theme", value);
    } catch { /* a file opened from a disk may have no storage */ }
    return null;
  };
  const set = (value) => {
    root.dataset.theme = value;
    theme.setAttribute("aria-pressed", String(value === "dark"));
  };
  const before = kept();
  if (before === "dark" || before === "light") set(before);
  theme.addEventListener("click", () => {
    const next = isDark() ? "light" : "dark";
    set(next);
    kept(next);
  });

  const number = (text) => {
    const found = text.replace(/−/g, "-").replace(/[$,<]/g, "").match(/[-+]?\d+(\.\d+)?/);
    return found ? Number(found[0]) * (/\dk\b/.test(text) ? 1e3 : /\dM\b/.test(text) ? 1e6 : 1) : NaN;
  };
  for (const table of document.querySelectorAll("table.sortable")) {
    const heads = [...table.querySelectorAll("thead th")];
    heads.forEach((head, column) => {
      head.querySelector("button")?.addEventListener("click", () => {
        const up = head.getAttribute("aria-sort") === "descending";
        heads.forEach((each) => each.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", up ? "ascending" : "descending");
        const body = table.tBodies[0];
        const keyed = [...body.rows].map((row) => [row.cells[column].textContent, row]);
        const numbers = column > 0 && keyed.some(([text]) => !Number.isNaN(number(text)));
        keyed.sort(([a], [b]) => {
          if (!numbers) return up ? b.localeCompare(a) : a.localeCompare(b);
          const [x, y] = [number(a), number(b)];
          if (Number.isNaN(x) || Number.isNaN(y)) return Number.isNaN(x) - Number.isNaN(y);
          return up ? x - y : y - x;
        });
        body.append(...keyed.map(([, row]) => row));
      });
    });
  }

  const copied = document.getElementById("copied");
  document.getElementById("copy").addEventListener("click", async () => {
    const source = document.getElementById("methods-text");
    let done = false;
    try {
      await navigator.clipboard.writeText(source.textContent);
      done = true;
    } catch { /* a file opened from a disk may not be allowed to */ }
    if (!done) {
      const range = document.createRange();
      range.selectNodeContents(source);
      getSelection().removeAllRanges();
      getSelection().addRange(range);
      done = document.execCommand("copy");
    }
    copied.textContent = done ? "copied" : "marked: copy it with the keyboard";
  });

  const help = document.getElementById("help");
  document.getElementById("help-open").addEventListener("click", () => help.showModal());
  document.getElementById("help-close").addEventListener("click", () => help.close());
})();
