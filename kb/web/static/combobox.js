// A text field with suggestions, after the WAI-ARIA pattern "editable combobox with list autocomplete".

import { el } from "./dom.js";
import { finder, withMarks } from "./prose.js";

const SETTLE = 120; // ms without a key before anything is asked
const HAN = /\p{Script=Han}/u;

export class Combobox {
  /**
   * `ask(text, signal)` gives suggestions `{text, lang, note}`; `submit(text)` searches; `announce(n)` tells their number.
   * Nothing is asked for fewer letters than `least`, nor while an input method composes: half a Pinyin syllable is no
   * question.
   */
  constructor(input, list, { ask, submit, announce, cleared, least = 2 }) {
    Object.assign(this, { input, list, ask, submit, announce, cleared, least });
    this.found = [];
    this.active = -1;
    this.composing = false;
    input.addEventListener("compositionstart", () => { this.composing = true; this.close(); });
    input.addEventListener("compositionend", () => { this.composing = false; this.typed(); });
    input.addEventListener("input", (event) => { if (!this.composing && !event.isComposing) this.typed(); });
    input.addEventListener("keydown", (event) => this.pressed(event));
    input.addEventListener("blur", () => this.close());
    // Not a click: the field would lose the focus first, and close the list under the pointer.
    list.addEventListener("mousedown", (event) => this.pointed(event));
  }

  get open() { return !this.list.hidden; }

  typed() {
    this.forget();
    const text = this.input.value.trim();
    if (text.length < this.least && !HAN.test(text)) return this.close();
    this.timer = setTimeout(() => this.look(text), SETTLE);
  }

  async look(text) {
    const request = new AbortController();
    this.request = request;
    try {
      const found = await this.ask(text, request.signal);
      if (!request.signal.aborted && document.activeElement === this.input) this.show(found, text);
    } catch {
      if (!request.signal.aborted) this.close(); // suggestions help; without them one can still search
    }
  }

  show(found, text) {
    this.found = found;
    this.active = -1;
    const find = finder(text.split(/\s+/), { prefix: true });
    this.list.replaceChildren(
      ...found.map((each, n) =>
        el(
          "li",
          { id: `suggestion-${n}`, role: "option", "aria-selected": "false" },
          el("span", { lang: each.lang }, ...withMarks(each.text, find)),
          each.note && el("span", { class: "soft small" }, each.note),
        ),
      ),
    );
    this.list.hidden = found.length === 0;
    this.input.setAttribute("aria-expanded", String(this.open));
    this.input.removeAttribute("aria-activedescendant");
    this.announce(found.length);
  }

  /** Stop waiting for suggestions. */
  forget() {
    clearTimeout(this.timer);
    this.request?.abort();
  }

  close() {
    this.forget();
    this.list.hidden = true;
    this.active = -1;
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
  }

  pressed(event) {
    // 229 is what some browsers send for the key that ends a composition.
    if (this.composing || event.isComposing || event.keyCode === 229) return;
    const keys = { ArrowDown: () => this.move(1), ArrowUp: () => this.move(-1), Enter: () => this.enter(), Escape: () => this.escape() };
    if (!(event.key in keys) || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key.startsWith("Arrow") && !this.open) {
      if (event.key === "ArrowDown" && (this.input.value.trim() || !this.least)) this.look(this.input.value.trim());
      return;
    }
    event.preventDefault();
    keys[event.key]();
  }

  /** Up and down through the list, and through the field itself between last and first. */
  move(by) {
    const places = this.found.length + 1;
    this.active = ((this.active + 1 + by + places) % places) - 1;
    [...this.list.children].forEach((option, n) => option.setAttribute("aria-selected", String(n === this.active)));
    if (this.active < 0) return this.input.removeAttribute("aria-activedescendant");
    this.input.setAttribute("aria-activedescendant", `suggestion-${this.active}`);
    this.list.children[this.active].scrollIntoView({ block: "nearest" });
  }

  enter() {
    if (this.open && this.active >= 0) this.input.value = this.found[this.active].text;
    this.close();
    this.submit(this.input.value);
  }

  escape() {
    if (this.open) return this.close();
    this.input.value = "";
    this.close();
    this.cleared();
  }

  pointed(event) {
    event.preventDefault();
    const option = event.target.closest("[role=option]");
    if (!option || event.button !== 0) return;
    this.active = [...this.list.children].indexOf(option);
    this.enter();
  }
}
