// Commands of keepalived.conf as processes: who runs them, with what, and what became of them.
export {
  argvOf,
  type Environment,
  type Identity,
  identityOf,
  rememberUsers,
  scriptEnvironment,
  type UserLookup,
} from "./command.ts";
export { type RunningScript, type ScriptEnd, type ScriptRequest, startScript } from "./run.ts";
