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
  joinPath,
  normalPath,
  parseInclude,
  resolveInclude,
  type SourceFile,
  topLevelPolicy,
} from "./include.ts";
import { type PhysicalLine, physicalLines } from "./physical-line.ts";
import { isSequence, parseSequence, type Sequence } from "./sequence.ts";
import { columnAt, sliceText, type Text, textAt, textOf, trimText } from "./text.ts";

export interface LogicalLine {
  readonly text: Text;
  readonly file: string;
  readonly line: number;
}

export interface LineReader {
  next(): LogicalLine | undefined;
  /** Reading ends here, for `reason`, which is reported; nothing that was read is to be used. */
  stop(reason: string, hint: string): void;
  /** `include_check`: in force until the file that sets it ends. */
  setIncludeCheck(change: (current: IncludePolicy) => IncludePolicy): void;
}

export interface LineReaderOptions extends FileAccess {
  readonly file: string;
  /** The working directory, for `${_PWD}`. */
  readonly directory: string;
  readonly configId: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly seed: string;
  readonly report: Report;
}

/** keepalived has no such limits: a file that includes itself, or a sequence over a billion, takes it down. */
const includeDepthMax = 100;
const framesMax = 1000;
const filesMax = 10_000;
const linesMax = 5_000_000;
/** Characters of all files together, or octets of one. */
export const sourceSizeMax = 32 * 1024 * 1024;

interface FileFrame {
  readonly kind: "file";
  readonly path: string;
  readonly directory: string;
  readonly foreign: ReadonlySet<number> | undefined;
  readonly lines: Iterator<PhysicalLine, undefined>;
  readonly includeCheck: IncludePolicy;
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
  current: LogicalLine;
  filesRead: number;
  charactersRead: number;
  linesRead: number;
}

export function openLines(options: LineReaderOptions): LineReader {
  const state: ReaderState = {
    options,
    definitions: openDefinitions({
      configId: options.configId,
      env: options.env,
      seed: options.seed,
      directory: () => normalPath(joinPath(options.directory, currentDirectory(state))),
      report: ({ column, text, ...problem }) =>
        options.report({ ...problem, place: { ...placeOf(state), column, text } }),
    }),
    frames: [],
    includeCheck: new Set(),
    residue: undefined,
    open: undefined,
    current: { file: options.file, line: 0, text: textOf("", 0) },
    filesRead: 0,
    charactersRead: 0,
    linesRead: 0,
  };
  openFiles(state, options.file, topLevelPolicy);
  return {
    next: () => nextLine(state),
    stop: (reason, hint) => stopReading(state, reason, hint),
    setIncludeCheck: (change) => {
      state.includeCheck = change(state.includeCheck);
    },
  };
}

/** `text`: what is wrong of it. Not the whole line: it may hold a password. */
const placeOf = ({ current }: ReaderState, text?: string): Place => ({
  file: current.file,
  line: current.line,
  column: columnAt(current.text, 0),
  text,
});

function nextLine(state: ReaderState): LogicalLine | undefined {
  for (;;) {
    const line = state.residue ?? takeLine(state);
    state.residue = undefined;
    if (line === undefined) return undefined;
    state.current = line;
    if (++state.linesRead > linesMax)
      return stopReading(state, `the configuration has more than ${linesMax} lines`, "is a ~SEQ without a right end?");
    if (state.open !== undefined) {
      if (!state.open.add(line.text.value)) state.open = undefined;
      continue;
    }
    const text = evaluate(state, line.text);
    if (text.value === "") continue;
    const include = parseInclude(text.value);
    if (include !== undefined) {
      openFiles(state, include.pattern, new Set([...include.policy, ...state.includeCheck]));
      continue;
    }
    const [head, tail] = splitAtBrace(text);
    if (tail !== undefined && head.value.endsWith("$")) tellUndefined(state, head, tail);
    if (tail !== undefined) state.residue = { file: line.file, line: line.line, text: tail };
    return head === line.text ? line : { file: line.file, line: line.line, text: head };
  }
}

/** `${NAME}` of templates that nobody filled in: keepalived takes its braces for those of a block, and says no more. */
function tellUndefined(state: ReaderState, head: Text, tail: Text): void {
  const name = /^\{([A-Za-z_][A-Za-z0-9_]*)\}/.exec(tail.value)?.[1];
  if (name === undefined || state.definitions.has(name)) return;
  const written = `\${${name}}`;
  state.options.report({
    place: { ...placeOf(state), column: columnAt(head, head.value.length - 1), text: written },
    severity: "warning",
    code: "undefined-definition",
    errorClass: "ok",
    message: `${written} is not defined: its braces are read as those of a block`,
    hint: `write $${name}=… further up, or \${_ENV ${name}} for a variable of the environment`,
  });
}

/** Nothing of the configuration is to be used: the rest of it is not known. */
function stopReading(state: ReaderState, reason: string, hint: string): undefined {
  state.options.report({
    place: placeOf(state),
    severity: "error",
    code: "too-much",
    errorClass: "general-error",
    message: `reading stops here: ${reason}`,
    hint,
  });
  state.frames.length = 0;
  state.residue = undefined;
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
      const { file, line, column } = frame.place;
      // What stands in a definition is reported where the definition is used: keepalived does so too.
      return body === undefined ? undefined : { file, line, text: textAt(body, column) };
    }
    case "sequence": {
      const values = frame.sequence.next();
      if (values === undefined) return undefined;
      for (const [name, value] of values) state.definitions.set(name, value);
      return { file: frame.place.file, line: frame.place.line, text: frame.sequence.template };
    }
  }
}

function takeFromFile(frame: FileFrame, state: ReaderState): LogicalLine | undefined {
  for (let next = frame.lines.next(); !next.done; next = frame.lines.next()) {
    const { number, text: raw } = next.value;
    const text = isPlain(raw.value)
      ? trimText(raw)
      : withoutComment(raw, { file: frame.path, line: number, column: 1 }, state.options.report);
    // keepalived's children read a copy without comments: for them a line with only a comment is empty, and an empty
    // line ends a multi-line definition.
    if (text.value === "") {
      state.open = undefined;
      continue;
    }
    const line = { file: frame.path, line: number, text };
    if (frame.foreign?.has(number) === true) reportForeignEncoding(state, line);
    return line;
  }
  return undefined;
}

/** Nothing in it can be a comment, a quote or an escape: so are nearly all lines. */
const isPlain = (value: string): boolean => !/[!#"\\\r]/.test(value);

/** As keepalived's children see the line: the parent has taken away comments, backslashes and blanks before them. */
function withoutComment(raw: Text, place: Place, report: Report): Text {
  const { text, openQuote } = stripComment(raw);
  if (openQuote !== undefined) report(openQuoteProblem({ ...place, column: columnAt(raw, openQuote) }));
  // Includes are the parent's business.
  if (!/[#!]|[\\\r]$/.test(text.value) || parseInclude(text.value) !== undefined) return text;
  const again = stripComment(sliceText(text, 0, text.value.replace(/\r+$/, "").length));
  if (again.comment !== undefined) {
    report({
      place: { ...place, column: columnAt(text, again.comment) },
      severity: "warning",
      code: "escaped-comment",
      errorClass: "ok",
      message: "this starts a comment in spite of the backslash; the rest of the line is lost",
      hint: "put it into double quotes: keepalived takes the backslash away and then looks for comments once more",
    });
  }
  return again.text;
}

/** In comments it does not matter. */
function reportForeignEncoding({ options }: ReaderState, { file, line, text }: LogicalLine): void {
  const at = text.value.search(/[^\0-\x7f]/);
  if (at < 0) return;
  options.report({
    place: { file, line, column: columnAt(text, at) },
    severity: "warning",
    code: "encoding",
    errorClass: "ok",
    message: "the line is no UTF-8; its octets are read as Latin-1",
    hint: "save the file as UTF-8; outside comments other encodings become other characters",
  });
}

/** Condition, definition, sequence, substitution: each at most once per line. Empty: nothing is left for the parser. */
function evaluate(state: ReaderState, line: Text): Text {
  const text = line.value.startsWith("@") ? evaluateCondition(line, state.options.configId) : line;
  if (text === undefined) return nothing;
  const { value } = text;
  if (value.startsWith("$")) {
    const definition = state.definitions.define(value);
    if (definition !== undefined) {
      state.open = definition.open;
      return nothing;
    }
  }
  if (isSequence(value)) {
    openSequence(state, text);
    return nothing;
  }
  return value.includes("$") && !value.startsWith("~") ? substitute(state, text) : text;
}

const nothing = textOf("");

/** `@ID text`, `@^ID text` (grammar section 9); undefined when the line is not for this node. */
function evaluateCondition(line: Text, configId: string): Text | undefined {
  const match = /^@(\^?)([^ \t]*)[ \t]+/.exec(line.value);
  if (match === null || (match[2] === configId) === (match[1] === "^")) return undefined;
  return sliceText(line, match[0].length);
}

function substitute(state: ReaderState, line: Text): Text {
  const { text, changed, bodies, exhausted } = state.definitions.substitute(line);
  if (exhausted) {
    stopReading(state, "its definitions stand for too much text", "does a definition use itself many times over?");
    return nothing;
  }
  for (const lines of bodies) {
    if (lines.length > 1) pushFrame(state, { kind: "body", lines, index: 1, place: placeOf(state) });
  }
  if (!changed) return text;
  // Values may bring comments and escapes with them (grammar section 3).
  const decommented = stripComment(text);
  if (decommented.openQuote !== undefined) {
    const place = { ...placeOf(state), column: columnAt(text, decommented.openQuote) };
    state.options.report(openQuoteProblem(place));
  }
  return decommented.text;
}

function openSequence(state: ReaderState, text: Text): void {
  const result = parseSequence(text, (numbers) => {
    const { text: expanded, bodies } = state.definitions.substitute(textAt(numbers, columnAt(text, 0)));
    return bodies.length > 0 ? undefined : expanded.value;
  });
  if (result.ok) {
    pushFrame(state, { kind: "sequence", sequence: result.sequence, place: placeOf(state) });
    return;
  }
  state.options.report({
    place: placeOf(state, /^[^)]*\)?/.exec(text.value)?.[0]),
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
    place: placeOf(state),
    severity: "error",
    code: "nested-too-deep",
    errorClass: "general-error",
    message: `definitions and sequences are nested more than ${framesMax} deep; this one is cut off`,
    hint: "does a definition use itself?",
  });
}

const fileFrames = (state: ReaderState): FileFrame[] => state.frames.filter((frame) => frame.kind === "file");

const currentDirectory = (state: ReaderState): string => fileFrames(state).at(-1)?.directory ?? "";

function openFiles(state: ReaderState, pattern: string, policy: IncludePolicy): void {
  const { options } = state;
  const open = fileFrames(state);
  const directory = currentDirectory(state);
  const files = resolveInclude(pattern, { ...options, directory, policy, place: placeOf(state, pattern) });
  if (open.length === 0 && files.length > 1) {
    options.report({
      place: placeOf(state, pattern),
      severity: "warning",
      code: "multiple-files",
      errorClass: "multiple-files",
      message: `'${pattern}' names ${files.length} files; all are read`,
    });
  }
  if (exceeds(state, files, open.length)) return;
  const paths = new Set(open.map(({ path }) => normalPath(path)));
  for (const file of files.toReversed()) {
    if (paths.has(normalPath(file.path))) reportCycle(state, file.path, pattern);
    else state.frames.push(fileFrame(state, file, directory));
  }
}

const fileFrame = (state: ReaderState, { path, content }: SourceFile, directory: string): FileFrame => ({
  kind: "file",
  path,
  directory: directoryOf(path, directory),
  foreign: content.foreign,
  lines: physicalLines(path, content, state.options.report),
  includeCheck: state.includeCheck,
});

function reportCycle(state: ReaderState, path: string, pattern: string): void {
  state.options.report({
    place: placeOf(state, pattern),
    severity: "error",
    code: "include-cycle",
    errorClass: "general-error",
    message: `${path} includes itself; it is not read again`,
    hint: "keepalived would read it until it has no file descriptor left",
  });
}

/** True, and reading has ended, when there is more to read than a configuration can be. */
function exceeds(state: ReaderState, files: readonly SourceFile[], depth: number): boolean {
  state.filesRead += files.length;
  for (const { content } of files) state.charactersRead += content.text.length;
  const megabytes = sourceSizeMax / 1024 / 1024;
  const hint = "what does it include, directly and in turn?";
  if (state.charactersRead > sourceSizeMax) stopReading(state, `all files together exceed ${megabytes} MiB`, hint);
  else if (state.filesRead > filesMax) stopReading(state, `there are more than ${filesMax} files`, hint);
  else if (depth > includeDepthMax) stopReading(state, `includes are more than ${includeDepthMax} deep`, hint);
  else return false;
  return true;
}
