export * from "./clause.ts";
export { rule, rules } from "./compile.ts";
export {
  type FieldNeeds,
  type HeaderFieldName,
  type HeaderFieldPlace,
  headerFields,
} from "./header-fields.ts";
export * from "./term.ts";
