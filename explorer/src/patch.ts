/** The inside of an element, put in place: what stayed is left alone, what changed is changed where it stands. */

const ATTRIBUTE = /([\w:-]+)="([^"]*)"/g;

/** One element of a text: its tag as written, the words in it, the elements in it. */
class Piece {
  readonly children: Piece[] = [];
  /** Words stand after an element too: then the inside is one thing. */
  isMixed = false;
  element: Element | null = null;
  words: string;
  readonly tag: string;
  /** Where its inside ends in the text. */
  end = 0;

  constructor(token: string, readonly begin: number) {
    const close = token.indexOf(">") + 1;
    this.tag = token.slice(0, close);
    this.words = token.slice(close);
  }

  private found: RegExpExecArray[] | null = null;

  /** Whole, name and value of each attribute; read once, for the tag is compared with two others. */
  get attributes(): RegExpExecArray[] {
    return (this.found ??= [...this.tag.matchAll(ATTRIBUTE)]);
  }

  get name(): string {
    return this.tag.slice(0, this.tag.search(/[\s>]/));
  }
}

/** Text in elements is escaped, and every element is closed: each "<" opens or closes a tag. */
function treeOf(text: string): Piece {
  const root = new Piece(">", 0);
  const open = [root];
  let place = 0;
  for (const token of text.split("<")) {
    const inside = open[open.length - 1];
    if (token.charCodeAt(0) === 47) { // a slash
      inside.end = place - 1;
      open.pop();
      if (!token.endsWith(">")) open[open.length - 1].isMixed = true;
    } else if (place) {
      const piece = new Piece(token, place + token.indexOf(">") + 1);
      if (inside.words) inside.isMixed = true;
      inside.children.push(piece);
      open.push(piece);
    }
    place += token.length + 1;
  }
  root.end = text.length;
  return root;
}

export class Layer {
  private tree = new Piece(">", 0);
  private text = "";

  constructor(readonly element: Element) {
    this.tree.element = element;
  }

  /** What is drawn, as text. */
  get inside(): string {
    return this.text;
  }

  set inside(text: string) {
    if (text === this.text) return;
    const tree = treeOf(text);
    tree.element = this.element;
    patch(this.tree, tree, this.text, text);
    this.tree = tree;
    this.text = text;
  }
}

/** Make the element of `old` the one of `now`, below its own tag. */
function patch(old: Piece, now: Piece, before: string, after: string): void {
  const element = now.element as Element;
  const isPlain = !old.isMixed && !now.isMixed;
  if (isPlain && !old.children.length && !now.children.length) {
    if (old.words !== now.words) write(element, now.words);
  } else if (isPlain && !old.words && !now.words) patchChildren(old, now, before, after);
  else if (before.slice(old.begin, old.end) !== after.slice(now.begin, now.end)) element.innerHTML = after.slice(now.begin, now.end);
}

function write(element: Element, words: string): void {
  if (words.includes("&")) element.innerHTML = words;
  else element.textContent = words;
}

/** Pairs from both ends; what is left between comes and goes. */
function patchChildren(old: Piece, now: Piece, before: string, after: string): void {
  const element = now.element as Element;
  const [was, is] = [old.children, now.children];
  const most = Math.min(was.length, is.length);
  if (was.length && !was[0].element) [...element.children].forEach((child, i) => (was[i].element = child));
  let [head, tail] = [0, 0];
  while (head < most && (was[head].tag === is[head].tag || retag(was[head], is[head]))) head++;
  if (head < most || was.length !== is.length)
    while (head + tail < most && retag(was[was.length - 1 - tail], is[is.length - 1 - tail])) tail++;
  for (let i = head; i < was.length - tail; i++) was[i].element?.remove();
  const next = was.length - tail < was.length ? (was[was.length - tail].element as Element) : null;
  if (head < is.length - tail) {
    const shell = document.createElementNS(element.namespaceURI, element.localName);
    const first = is[head];
    const last = is[is.length - tail - 1];
    shell.innerHTML = after.slice(first.begin - first.tag.length - 1, last.end + last.name.length + 3);
    [...shell.children].forEach((child, i) => {
      is[head + i].element = child;
      element.insertBefore(child, next);
    });
  }
  for (let i = 0; i < is.length; i++) {
    const pair = i < head ? was[i] : i >= is.length - tail ? was[i - is.length + was.length] : null;
    if (!pair) continue;
    is[i].element = pair.element;
    patch(pair, is[i], before, after);
  }
}

/** Give an element its new attributes; false where it has another name, or others than before. */
function retag(old: Piece, now: Piece): boolean {
  if (old.tag === now.tag) return true;
  if (old.name !== now.name) return false;
  const [was, is] = [old.attributes, now.attributes];
  if (was.length !== is.length || is.some(([, name], k) => name !== was[k][1])) return false;
  is.forEach(([, name, value], k) => {
    if (value !== was[k][2]) old.element?.setAttribute(name, value);
  });
  return true;
}
