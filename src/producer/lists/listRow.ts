/** What a row of a list says of an image. A row without a uri names none; `fault` says why, where there is more to say. */
export interface ListRow {
  /** Its line, or in Parquet its number; from 1. */
  row: number;
  uri: string | undefined;
  id: string | undefined;
  fault?: string;
  /** What the row says besides, by column; where it was asked for. */
  others?: Record<string, unknown>;
}
