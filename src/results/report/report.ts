import type { ReportAbout } from './provenance.ts';
import type { LabelSamples, RowTotals, Sample } from './reportRows.ts';

/** A small picture as a `data:` URL, or why there is none. */
export type Thumbnail = { url: string } | { isNone: string };

export interface Report {
  about: ReportAbout;
  totals: RowTotals;
  bins: readonly number[];
  /** The labels that have pictures, those of most images first. */
  byLabel: ReadonlyMap<string, LabelSamples>;
  thumbnailOf: (sample: Sample) => Thumbnail | undefined;
}
