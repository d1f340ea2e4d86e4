import { z } from 'zod';
import { labelSetSchema } from '../../shared/labels/labelSetSchema.ts';
import { chunkJobSchema } from '../../shared/runs/chunkJob.ts';
import { rowAnswer } from './rowAnswer.ts';

/** JSON Schemas (2020-12) of what programs of other languages write and read, by their names in URLs. */
export const jsonSchemas = {
  job: schemaOf('A job’s data: ids and uris of a chunk’s images in turns', chunkJobSchema),
  'label-set': schemaOf('A label set, as it is stored', labelSetSchema),
  row: schemaOf('A row, as the gateway and JSON lines have it', rowAnswer),
};

function schemaOf(title: string, schema: z.ZodType) {
  const { $schema, ...rest } = z.toJSONSchema(schema);
  return { $schema, title, ...rest };
}
