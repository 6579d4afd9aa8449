export { isWeftError, WeftError } from "../../core/errors.ts";
export { type ApiRequest, type ChangeRequest, changes, type StopOptions } from "./requests.ts";
export {
  type ClientEventQuery,
  type ClientLogQuery,
  type ClientOptions,
  WeftClient,
} from "./weft-client.ts";
