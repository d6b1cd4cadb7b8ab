// The lines that the parser sees: files and what they include, with comments, conditions, definitions and sequences
// carried out, and each brace on a line of its own (grammar sections 2, 3, 5, 8 to 11). Everything that waits to be read
// lies on one stack: an include, the rest of a multi-line definition or of a sequence goes on top and is finished first.
import type { Place, Report } from "../report.ts";
import { splitAtBrace } from "./braces.ts";
import { openQuoteProblem, stripComment } from "./comment.ts";
import { type Definitions, type OpenDefinition, openDefinitions } from "./definition.ts";
import {
  directoryOf,
  type FileAccess,
  type IncludePolicy,
  parseInclude,
  resolveInclude,
  topLevelPolicy,
} from "./include.ts";
import { type PhysicalLine, physicalLines } from "./physical-line.ts";
import { isSequence, parseSequence, type Sequence } from "./sequence.ts";
import { columnAt, sliceText, type Text, textOf } from "./text.ts";

export interface LogicalLine {
  readonly text: Text;
  readonly file: string;
  readonly line: number;
}

export interface LineReader {
  next(): LogicalLine | undefined;
  /** `include_check`: in force until the file that sets it ends. */
  setIncludeCheck(change: (current: IncludePolicy) => IncludePolicy): void;
}

export interface LineReaderOptions extends FileAccess {
  readonly file: string;
  readonly directory: string;
  readonly configId: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly seed: string;
  readonly report: Report;
}

/** keepalived has no such limits: a file that includes itself, or a sequence over a billion, takes it down. */
const includeDepthMax = 32;
const framesMax = 1000;
const filesMax = 10_000;
const linesMax = 500_000;

interface FileFrame {
  readonly kind: "file";
  readonly path: string;
  readonly directory: string;
  readonly lines: readonly PhysicalLine[];
  index: number;
  includeCheck: IncludePolicy;
}

interface BodyFrame {
  readonly kind: "body";
  readonly lines: readonly string[];
  readonly place: Place;
  index: number;
}

interface SequenceFrame {
  readonly kind: "sequence";
  readonly sequence: Sequence;
  readonly place: Place;
}

type Frame = FileFrame | BodyFrame | SequenceFrame;

interface ReaderState {
  readonly options: LineReaderOptions;
  readonly definitions: Definitions;
  readonly frames: Frame[];
  includeCheck: IncludePolicy;
  residue: LogicalLine | undefined;
  open: OpenDefinition | undefined;
  /** Where the line that is being worked on stands. */
  current: Place;
  filesRead: number;
  linesRead: number;
}

export function openLines(options: LineReaderOptions): LineReader {
  const state: ReaderState = {
    options,
    definitions: openDefinitions({
      configId: options.configId,
      env: options.env,
      seed: options.seed,
      directory: () => currentDirectory(state),
      report: ({ column, ...problem }) => options.report({ ...problem, place: { ...state.current, column } }),
    }),
    frames: [],
    includeCheck: new Set(),
    residue: undefined,
    open: undefined,
    current: { file: options.file, line: 0, column: 0 },
    filesRead: 0,
    linesRead: 0,
  };
  openFiles(state, options.file, topLevelPolicy);
  return {
    next: () => nextLine(state),
    setIncludeCheck: (change) => {
      state.includeCheck = change(state.includeCheck);
    },
  };
}

function nextLine(state: ReaderState): LogicalLine | undefined {
  for (;;) {
    const line = state.residue ?? takeLine(state);
    state.residue = undefined;
    if (line === undefined) return undefined;
    if (++state.linesRead > linesMax) return stopReading(state);
    state.current = { file: line.file, line: line.line, column: columnAt(line.text, 0) };
    if (state.open !== undefined) {
      if (!state.open.add(line.text.value)) state.open = undefined;
      continue;
    }
    const text = line.text.value === "" ? line.text : evaluate(state, line.text);
    if (text.value === "") continue;
    const include = parseInclude(text.value);
    if (include !== undefined) {
      openFiles(state, include.pattern, new Set([...include.policy, ...state.includeCheck]));
      continue;
    }
    const [head, tail] = splitAtBrace(text);
    if (tail !== undefined) state.residue = { ...line, text: tail };
    return { ...line, text: head };
  }
}

function stopReading(state: ReaderState): undefined {
  state.options.report({
    place: state.current,
    severity: "error",
    code: "too-many-lines",
    errorClass: "general-error",
    message: `reading stops here: the configuration has more than ${linesMax} lines`,
    hint: "is there a sequence (~SEQ) with a wrong end?",
  });
  state.frames.length = 0;
  state.linesRead = 0;
  return undefined;
}

/** The next line of whatever is on top of the stack, without its comment. */
function takeLine(state: ReaderState): LogicalLine | undefined {
  for (let frame = state.frames.at(-1); frame !== undefined; frame = state.frames.at(-1)) {
    const line = takeFrom(frame, state);
    if (line !== undefined) return line;
    state.frames.pop();
    if (frame.kind === "file") state.includeCheck = frame.includeCheck;
  }
  return undefined;
}

function takeFrom(frame: Frame, state: ReaderState): LogicalLine | undefined {
  switch (frame.kind) {
    case "file":
      return takeFromFile(frame, state);
    case "body": {
      const body = frame.lines[frame.index++];
      // What stands in a definition is reported where the definition is used: keepalived does so too.
      return body === undefined ? undefined : { ...frame.place, text: constantColumn(body, frame.place.column) };
    }
    case "sequence": {
      const values = frame.sequence.next();
      if (values === undefined) return undefined;
      for (const [name, value] of values) state.definitions.set(name, value);
      return { ...frame.place, text: frame.sequence.template };
    }
  }
}

const constantColumn = (value: string, column: number): Text => ({
  value,
  columns: new Array<number>(value.length).fill(column),
});

function takeFromFile(frame: FileFrame, state: ReaderState): LogicalLine | undefined {
  for (let line = frame.lines[frame.index]; line !== undefined; line = frame.lines[frame.index]) {
    frame.index++;
    const place = { file: frame.path, line: line.number };
    const { text, openQuote } = stripComment(line.text);
    if (openQuote !== undefined) {
      state.options.report(openQuoteProblem({ ...place, column: columnAt(line.text, openQuote) }));
    }
    // keepalived's children read a copy without comments: for them a line with only a comment is empty, and an empty
    // line ends a multi-line definition.
    if (text.value === "") {
      state.open = undefined;
      continue;
    }
    reportForeignEncoding(state, text, place);
    return { ...place, text };
  }
  return undefined;
}

/** U+FFFD is what a decoder leaves of octets that are no UTF-8: in comments they do not matter. */
function reportForeignEncoding(state: ReaderState, text: Text, place: Omit<Place, "column">): void {
  const at = text.value.indexOf("\uFFFD");
  if (at < 0) return;
  state.options.report({
    place: { ...place, column: columnAt(text, at) },
    severity: "warning",
    code: "encoding",
    errorClass: "ok",
    message: "octets that are no UTF-8 were replaced",
    hint: "save the file as UTF-8; outside comments other encodings lose characters",
  });
}

/** Condition, definition, sequence, substitution: each at most once per line. Empty: nothing is left for the parser. */
function evaluate(state: ReaderState, line: Text): Text {
  const nothing = textOf("");
  let text = line;
  if (text.value.startsWith("@")) {
    const kept = evaluateCondition(text, state.options.configId);
    if (kept === undefined) return nothing;
    text = kept;
  }
  if (text.value.startsWith("$")) {
    const definition = state.definitions.define(text.value);
    if (definition !== undefined) {
      state.open = definition.open;
      return nothing;
    }
  }
  if (isSequence(text.value)) {
    openSequence(state, text);
    return nothing;
  }
  if (text.value.startsWith("~") || !text.value.includes("$")) return text;
  const { text: substituted, changed, rest } = state.definitions.substitute(text);
  if (rest.length > 0) pushFrame(state, { kind: "body", lines: rest, index: 0, place: state.current });
  // Values may bring comments and escapes with them (grammar section 3).
  if (!changed) return substituted;
  const decommented = stripComment(substituted);
  if (decommented.openQuote !== undefined) {
    const place = { ...state.current, column: columnAt(substituted, decommented.openQuote) };
    state.options.report(openQuoteProblem(place));
  }
  return decommented.text;
}

/** `@ID text`, `@^ID text` (grammar section 9); undefined when the line is not for this node. */
function evaluateCondition(line: Text, configId: string): Text | undefined {
  const match = /^@(\^?)([^ \t]*)[ \t]+/.exec(line.value);
  if (match === null || (match[2] === configId) === (match[1] === "^")) return undefined;
  return sliceText(line, match[0].length);
}

function openSequence(state: ReaderState, text: Text): void {
  const result = parseSequence(text, (numbers) => {
    const { text: expanded, rest } = state.definitions.substitute(textOf(numbers, state.current.column));
    return rest.length > 0 ? undefined : expanded.value;
  });
  if (result.ok) {
    pushFrame(state, { kind: "sequence", sequence: result.sequence, place: state.current });
    return;
  }
  state.options.report({
    place: state.current,
    severity: "error",
    code: "sequence",
    errorClass: "general-error",
    message: result.reason,
  });
}

/** A definition whose lines use it again, or a sequence in itself, never comes to its end. */
function pushFrame(state: ReaderState, frame: Frame): void {
  if (state.frames.length < framesMax) {
    state.frames.push(frame);
    return;
  }
  state.options.report({
    place: state.current,
    severity: "error",
    code: "nested-too-deep",
    errorClass: "general-error",
    message: `definitions and sequences are nested more than ${framesMax} deep; this one is cut off`,
    hint: "does a definition use itself?",
  });
}

function currentDirectory(state: ReaderState): string {
  const frame = state.frames.findLast((candidate) => candidate.kind === "file");
  return frame?.directory ?? state.options.directory;
}

function openFiles(state: ReaderState, pattern: string, policy: IncludePolicy): void {
  const { options, current } = state;
  const depth = state.frames.filter((frame) => frame.kind === "file").length;
  if (depth >= includeDepthMax || state.filesRead >= filesMax) {
    options.report({
      place: current,
      severity: "error",
      code: "include-too-deep",
      errorClass: "general-error",
      message: `'${pattern}' is not read: includes are ${depth} deep, and ${state.filesRead} files were read`,
      hint: "does a file include itself?",
    });
    return;
  }
  const directory = currentDirectory(state);
  const files = resolveInclude(pattern, directory, policy, options, current, options.report);
  if (depth === 0 && files.length > 1) {
    options.report({
      place: current,
      severity: "warning",
      code: "multiple-files",
      errorClass: "multiple-files",
      message: `'${pattern}' names ${files.length} files; all are read`,
    });
  }
  state.filesRead += files.length;
  for (const { path, text } of files.toReversed()) {
    state.frames.push({
      kind: "file",
      path,
      directory: directoryOf(path, directory),
      lines: physicalLines(path, text, options.report),
      index: 0,
      includeCheck: state.includeCheck,
    });
  }
}
