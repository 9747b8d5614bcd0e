// Markdown that runs nothing: raw HTML stays text, pictures from elsewhere are named and never loaded, links open apart.
// `[n]` outside of code becomes a small button when a citation of that number exists.

import { Component, createContext, memo, useContext, useMemo, useState } from "react";
import ReactMarkdown from "react-markdown";
import remarkGfm from "remark-gfm";
import { copyText } from "./clipboard.js";

export const CiteContext = createContext({ known: new Map(), onCite: null, labels: {} });

const MARKS = /\[(\d{1,3}(?:\s*,\s*\d{1,3})*)\]/g;

const words = (value) => (value ? [{ type: "text", value }] : []);

function citeNodes(text, known) {
  const nodes = [];
  let from = 0;
  for (const found of text.matchAll(MARKS)) {
    const numbers = found[1].split(",").map((part) => Number(part.trim()));
    if (!numbers.every((n) => known.has(n))) continue;
    // The number sits close to its word and never goes to the next line without it.
    const before = text.slice(from, found.index).replace(/[ \u00a0]+$/, "");
    const word = /\S{0,24}$/.exec(before)[0];
    const rest = before.slice(0, before.length - word.length);
    const after = /^[.,;:!?)”»]*/.exec(text.slice(found.index + found[0].length))[0];
    const cites = numbers.map((n) => ({ type: "cite", data: { hName: "cite", hProperties: { n: String(n) } }, children: [] }));
    const last = nodes.at(-1);
    if (!before && last?.type === "kept") last.children.push(...cites, ...words(after));
    else {
      nodes.push(...words(rest), {
        type: "kept",
        data: { hName: "span", hProperties: { className: "kept" } },
        children: [...words(word), ...cites, ...words(after)],
      });
    }
    from = found.index + found[0].length + after.length;
  }
  if (!nodes.length) return null;
  if (from < text.length) nodes.push({ type: "text", value: text.slice(from) });
  return nodes;
}

function walk(node, known) {
  if (!node.children || node.type === "link" || node.type === "linkReference") return;
  node.children = node.children.flatMap((child) => {
    if (child.type === "text") return citeNodes(child.value, known) ?? [child];
    walk(child, known);
    return [child];
  });
}

function Cite({ n }) {
  const { known, onCite, labels } = useContext(CiteContext);
  const number = Number(n);
  const citation = known.get(number);
  const name = citation?.available === false ? labels.gone : [citation?.filename, citation?.where].filter(Boolean).join(", ");
  return (
    <button
      type="button"
      className="cite"
      data-gone={citation?.available === false || undefined}
      title={name}
      aria-label={`${labels.source} ${number}: ${name}`}
      onClick={() => onCite?.(number)}
    >
      {number}
    </button>
  );
}

function Pre({ children }) {
  const { labels } = useContext(CiteContext);
  const [copied, setCopied] = useState(false);
  const props = children?.props ?? {};
  const language = /language-([\w+#.-]+)/.exec(props.className ?? "")?.[1] ?? "";
  const copy = async () => {
    if (await copyText(String(props.children ?? ""))) {
      setCopied(true);
      setTimeout(() => setCopied(false), 1600);
    }
  };
  return (
    <div className="code">
      <div className="code-head">
        <span>{language}</span>
        <button type="button" className="code-copy" onClick={copy}>
          {copied ? labels.copied : labels.copy}
        </button>
      </div>
      <pre tabIndex={0}>{children}</pre>
    </div>
  );
}

const COMPONENTS = {
  cite: Cite,
  pre: Pre,
  img: ({ alt, src }) => <span className="no-picture">{alt || (typeof src === "string" ? src : "")}</span>,
  a: ({ href, children }) =>
    href ? (
      <a href={href} target="_blank" rel="noopener noreferrer nofollow">
        {children}
      </a>
    ) : (
      <span>{children}</span>
    ),
  table: ({ children }) => (
    <div className="table-scroll" tabIndex={0}>
      <table>{children}</table>
    </div>
  ),
};

// Markdown that overwhelms its parser (ten thousand nested quotes) is shown as the text that it is.
class AsText extends Component {
  state = { failed: false };

  static getDerivedStateFromError() {
    return { failed: true };
  }

  componentDidUpdate(before) {
    if (this.state.failed && before.text !== this.props.text) this.setState({ failed: false });
  }

  render() {
    return this.state.failed ? <p className="as-text">{this.props.text}</p> : this.props.children;
  }
}

const DEEPEST = /^[ \t]{0,3}(?:(?:>|[-*+]|\d{1,9}[.)])[ \t]*){32}/m;

export const MarkdownBlock = memo(function MarkdownBlock({ text, known }) {
  if (DEEPEST.test(text)) return <p className="as-text">{text}</p>;
  return (
    <AsText text={text}>
      <Markdown text={text} known={known} />
    </AsText>
  );
});

function Markdown({ text, known }) {
  const plugins = useMemo(() => [remarkGfm, () => (tree) => walk(tree, known)], [known]);
  return (
    <ReactMarkdown remarkPlugins={plugins} components={COMPONENTS}>
      {text}
    </ReactMarkdown>
  );
}
