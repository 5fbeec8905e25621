// Theme, copy buttons, and search as you type. All text of strangers is set as text, never as HTML.
"use strict";
(() => {
  const root = new URL("../", document.currentScript.src);
  const byId = (id) => document.getElementById(id);
  const element = (tag, className, text) => {
    const made = document.createElement(tag);
    if (className) made.className = className;
    if (text) made.textContent = text;
    return made;
  };

  // Theme
  const button = byId("theme");
  const isDark = () => {
    const chosen = document.documentElement.dataset.theme;
    return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  };
  const label = () => {
    button.textContent = isDark() ? "Light" : "Dark";
    button.setAttribute("aria-label", `Use the ${isDark() ? "light" : "dark"} theme`);
  };
  button.hidden = false;
  label();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", label);
  button.addEventListener("click", () => {
    const next = isDark() ? "light" : "dark";
    document.documentElement.dataset.theme = next;
    label();
    try {
      localStorage.setItem("theme", next);
    } catch {
      // It lasts for this page only.
    }
  });

  // Copy
  const copied = async (text, node) => {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      // No permission, or no secure page: select it, so that the keyboard can copy it.
      getSelection().selectAllChildren(node);
      return document.execCommand("copy");
    }
  };
  for (const copy of document.querySelectorAll("button.copy")) {
    copy.hidden = false;
    copy.addEventListener("click", async () => {
      const node = byId(copy.dataset.copy);
      const done = await copied(node.textContent, node);
      copy.textContent = done ? "Copied" : "Selected";
      setTimeout(() => {
        copy.textContent = "Copy";
      }, 2000);
    });
  }

  // Search
  const STEP = 20;
  const box = byId("q");
  const results = byId("results");
  document.addEventListener("keydown", (event) => {
    const isTyping = event.target.closest("input, textarea, select, [contenteditable]");
    if (event.key === "/" && !isTyping && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      box.focus();
      box.select();
    }
  });
  if (!results) return;

  const [browse, hits, status, more] = ["browse", "hits", "found", "more"].map(byId);
  const filters = byId("filters");
  let engine = null;
  let latest = 0;
  let shown = 0;
  let found = [];

  const load = () => {
    engine ??= import(new URL("pagefind/pagefind.js", root)).then(async (pagefind) => {
      await pagefind.options({ baseUrl: root.pathname, excerptLength: 20 });
      await pagefind.init();
      return pagefind;
    });
    return engine;
  };

  const chosen = () => {
    const values = {};
    for (const box of filters ? filters.querySelectorAll("input:checked") : []) {
      (values[box.name] ??= []).push(box.value);
    }
    return values;
  };

  const line = (data) => {
    const { title, summary, version, level, license, updated, capabilities } = data.meta;
    const row = element("li", "row");
    const heading = element("h3");
    const link = element("a", "", title);
    link.href = new URL(`plugin/${encodeURIComponent(title)}.html`, root);
    heading.append(link, " ", element("small", "", version), " ", element("span", `level ${level}`, level));
    const tags = element("p", "tags");
    for (const name of (capabilities || "").split(" ").filter(Boolean)) tags.append(element("span", "tag", name), " ");
    tags.append(element("span", "muted", `${license.slice(0, 40)} · ${updated}`));
    row.append(heading, element("p", "", summary), tags);
    return row;
  };

  const extend = async (mine) => {
    const loaded = await Promise.all(found.slice(shown, shown + STEP).map((item) => item.data()));
    if (mine !== latest) return;
    const first = hits.children.length;
    hits.append(...loaded.map(line));
    shown += loaded.length;
    more.hidden = shown >= found.length;
    return first;
  };

  const keep = (query, values) => {
    const place = new URL(location.href);
    place.search = "";
    if (query) place.searchParams.set("q", query);
    for (const [name, list] of Object.entries(values)) list.forEach((value) => place.searchParams.append(name, value));
    history.replaceState(null, "", place);
  };

  const search = async () => {
    const mine = ++latest;
    const query = box.value.trim();
    const values = chosen();
    const isAsked = Boolean(query) || Object.keys(values).length > 0;
    if (filters) keep(query, values);
    if (!isAsked) {
      results.hidden = true;
      browse.hidden = false;
      return;
    }
    try {
      const pagefind = await load();
      const wanted = Object.fromEntries(Object.entries(values).map(([name, list]) => [name, { any: list }]));
      const answer = await pagefind.search(query || null, { filters: wanted });
      if (mine !== latest) return;
      found = answer.results;
    } catch {
      results.hidden = false;
      browse.hidden = false;
      status.textContent = "Search needs a web server; the lists do not";
      return;
    }
    shown = 0;
    hits.replaceChildren();
    await extend(mine);
    if (mine !== latest) return;
    status.textContent = found.length ? `${found.length} plugin${found.length === 1 ? "" : "s"} found` : "Nothing found";
    results.hidden = false;
    browse.hidden = true;
  };

  let timer = 0;
  box.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(search, 80);
  });
  box.addEventListener("focus", () => load().catch(() => {}), { once: true });
  box.form.addEventListener("submit", (event) => {
    event.preventDefault();
    clearTimeout(timer);
    search();
  });
  box.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" && !results.hidden) {
      event.preventDefault();
      hits.querySelector("a")?.focus();
    }
  });
  more.addEventListener("click", async () => {
    const first = await extend(latest);
    hits.children[first]?.querySelector("a").focus();
  });
  if (filters) {
    document.querySelector("nav.facets").hidden = true;
    filters.hidden = false;
    byId("hint").textContent = "Type, or choose filters.";
    filters.addEventListener("change", search);
    filters.addEventListener("reset", () => setTimeout(search));
    for (const input of filters.querySelectorAll("input")) {
      input.checked = new URLSearchParams(location.search).getAll(input.name).includes(input.value);
    }
  }
  box.value = new URLSearchParams(location.search).get("q") ?? "";
  search();
})();
