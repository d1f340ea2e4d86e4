import { ClipfleetError } from '../../shared/errors.ts';

/** There was no connection to the host: nothing was asked of it, so that no path and no run has a part in it. */
export class ConnectError extends ClipfleetError {}
