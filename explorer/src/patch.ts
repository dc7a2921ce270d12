/** The inside of a drawing, put in place: what has the same shape as before only gets new attributes. */

const ATTRIBUTE = /([\w:-]+)="([^"]*)"/g;

function nameOf(token: string): string {
  return token.slice(0, token.search(/[\s>]/));
}

export class Layer {
  private tokens: string[] = [];
  private nodes: Element[] = [];
  private text = "";

  constructor(readonly element: Element) {}

  /** What is drawn, as text. */
  get inside(): string {
    return this.text;
  }

  set inside(text: string) {
    if (text === this.text) return;
    const tokens = text.split("<"); // text in elements is escaped: each "<" opens or closes a tag
    if (!this.patched(tokens)) {
      this.element.innerHTML = text;
      this.nodes = [...this.element.getElementsByTagName("*")];
    }
    this.tokens = tokens;
    this.text = text;
  }

  /** Change attributes and words; false where elements came, went or changed their kind. */
  private patched(tokens: string[]): boolean {
    const before = this.tokens;
    if (tokens.length !== before.length) return false;
    const changed: [number, string, string][] = [];
    for (let i = 1, n = -1; i < tokens.length; i++) {
      const isClosing = tokens[i].charCodeAt(0) === 47; // a slash
      if (!isClosing) n++;
      if (tokens[i] === before[i]) continue;
      if (isClosing || nameOf(tokens[i]) !== nameOf(before[i])) return false;
      changed.push([n, before[i], tokens[i]]);
    }
    const todo: (() => void)[] = [];
    for (const [n, old, now] of changed) {
      const node = this.nodes[n];
      const was = [...old.matchAll(ATTRIBUTE)];
      const is = [...now.matchAll(ATTRIBUTE)];
      if (was.length !== is.length || is.some(([, name], k) => name !== was[k][1])) return false;
      is.forEach(([, name, value], k) => {
        if (value !== was[k][2]) todo.push(() => node.setAttribute(name, value));
      });
      const words = now.slice(now.indexOf(">") + 1);
      if (words !== old.slice(old.indexOf(">") + 1)) todo.push(() => void (node.innerHTML = words));
    }
    for (const act of todo) act();
    return true;
  }
}
