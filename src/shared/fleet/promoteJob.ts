import type { Job } from 'bullmq';

/** Lets a job that was put off go on at once; one that is not delayed is on its way already. */
export async function promoteJob(job: Job): Promise<void> {
  if (!(await job.isDelayed())) return;
  await job.promote().catch(async (error: Error) => {
    if (await job.isDelayed()) throw error;
  });
}
