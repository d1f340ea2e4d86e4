/** How a file comes into the folder of its label: a symbolic link, a copy, or the file itself. */
export type SortBy = 'link' | 'copy' | 'move';

/** One file to be sorted. */
export interface FileStep {
  by: SortBy;
  from: string;
  to: string;
}

/** A folder to be made, or a file to be sorted into one. */
export type SortStep = { folder: string } | FileStep;
