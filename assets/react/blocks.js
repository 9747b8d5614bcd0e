// Cuts a growing markdown text into blocks that are settled (they will never change) and one that still grows, so that
// only the last one is parsed again while an answer streams. Cost is linear in the text.

const FENCE = /^ {0,3}(`{3,}|~{3,})/;
const LIST_ITEM = /^ {0,3}(?:[-*+]|\d{1,9}[.)])(?:\s|$)/;
const DEFINITION = /^ {0,3}\[[^\]\n]+\]:\s*\S/m;

export class BlockSplitter {
  constructor() {
    this.reset();
  }

  reset() {
    this.settled = []; // strings
    this.text = "";
    this.scanned = 0; // start of the first line not looked at yet
    this.blockStart = 0;
    this.fence = null;
    this.blank = false; // the last line looked at was empty
    this.inList = false;
  }

  // Returns { settled, tail }. `settled` is the same array, only ever longer, while the text only grows.
  update(text) {
    if (!text.startsWith(this.text)) this.reset();
    this.text = text;
    for (;;) {
      const end = text.indexOf("\n", this.scanned);
      if (end < 0) break;
      this.line(text.slice(this.scanned, end), this.scanned);
      this.scanned = end + 1;
    }
    return { settled: this.settled, tail: text.slice(this.blockStart), fence: this.fence !== null };
  }

  line(line, start) {
    if (this.fence) {
      const found = FENCE.exec(line);
      const closes = found && found[1][0] === this.fence[0] && found[1].length >= this.fence.length;
      if (closes && line.trim() === found[1]) this.fence = null;
      this.blank = false;
      return;
    }
    if (line.trim() === "") {
      this.blank = true;
      return;
    }
    const item = LIST_ITEM.test(line);
    const continues = /^(?: |\t)/.test(line) || (this.inList && item);
    if (this.blank && !continues) {
      this.settled.push(text_of(this.text, this.blockStart, start));
      this.blockStart = start;
      this.inList = false;
    }
    if (start === this.blockStart) this.inList = item;
    const found = FENCE.exec(line);
    if (found && !(found[1][0] === "`" && line.slice(line.indexOf(found[1]) + found[1].length).includes("`"))) {
      this.fence = found[1];
    }
    this.blank = false;
  }
}

function text_of(text, start, end) {
  return text.slice(start, end);
}

// A whole text at once. Link definitions reach over blocks: a text that has some is left in one piece.
export function splitBlocks(text) {
  if (DEFINITION.test(text)) return [text];
  const { settled, tail } = new BlockSplitter().update(text.endsWith("\n") ? text : text + "\n");
  return [...settled, tail];
}

// The growing end as it would look when closed: half-written emphasis, code, links and citations do not flicker.
export function mendTail(tail, insideFence) {
  if (insideFence) return tail;
  const cut = tail.replace(/!?\[[^\]\n]{0,200}(?:\]\([^)\n]{0,2000})?$/, (open) => {
    const words = /^!?\[([^\]]*)\]\(/.exec(open);
    return words ? words[1] : /^\[[\d,\s]*$/.test(open) ? "" : open;
  });
  const line = cut.slice(cut.lastIndexOf("\n") + 1);
  const ticks = (line.match(/`/g) || []).length;
  if (ticks % 2 === 1) return cut + "`";
  const last = cut.slice(Math.max(0, cut.lastIndexOf("\n\n")));
  const strong = (last.match(/\*\*/g) || []).length;
  return strong % 2 === 1 ? cut.replace(/\s*\*{0,1}$/, (end) => (end.endsWith("*") ? end : "")) + "**" : cut;
}
