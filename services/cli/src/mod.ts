// What others may use of the command: how it says things.
export { eventLine, eventSentence } from "./rendering/event-sentence.ts";
