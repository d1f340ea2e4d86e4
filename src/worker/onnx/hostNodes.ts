/**
 * Nodes of the towers written here that stay on the processor where the device is WebGPU: the look-up of words in a table as it is stored, and
 * the cast of what was found. A GPU without numbers of 16 bits can do neither, and with them it would hold the table for a few rows of it.
 */
export const hostNodes = { found: 'words.stored', cast: 'words' } as const;
