import type { Place } from './resources.ts';

/** A refusal of the API server in memory: the `metav1.Status` that the real one answers with. */
export class StatusError extends Error {
  readonly status: number;
  readonly reason: string;

  constructor(status: number, reason: string, message: string) {
    super(message);
    this.name = 'StatusError';
    this.status = status;
    this.reason = reason;
  }

  toBody(): object {
    return this.reason === ''
      ? {}
      : {
          kind: 'Status',
          apiVersion: 'v1',
          metadata: {},
          status: 'Failure',
          message: this.message,
          reason: this.reason,
          code: this.status,
        };
  }
}

const qualified = ({ resource: { group, resource } }: Place): string =>
  group === '' ? resource : `${resource}.${group}`;

export const notFound = (place: Place): StatusError =>
  new StatusError(404, 'NotFound', `${qualified(place)} "${place.name}" not found`);

/** Said as plain text, and not as a Status. */
export const noSuchKind = (): StatusError => new StatusError(404, '', '404 page not found');

export const alreadyExists = (place: Place, name: string): StatusError =>
  new StatusError(409, 'AlreadyExists', `${qualified(place)} "${name}" already exists`);

export const conflict = (place: Place): StatusError =>
  new StatusError(
    409,
    'Conflict',
    `Operation cannot be fulfilled on ${qualified(place)} "${place.name}": the object has been modified; ` +
      'please apply your changes to the latest version and try again',
  );

export const failedPrecondition = (
  place: Place,
  what: 'UID' | 'ResourceVersion',
  asked: string,
  is: string,
): StatusError => {
  const { kind, group } = place.resource;
  return new StatusError(
    409,
    'Conflict',
    `Operation cannot be fulfilled on ${group === '' ? kind : `${kind}.${group}`} "${place.name}": ` +
      `the ${what} in the precondition (${asked}) does not match the ${what} in record (${is}). The object might have been modified`,
  );
};

export const gone = (asked: number, oldest: number): StatusError =>
  new StatusError(410, 'Expired', `too old resource version: ${asked} (${oldest})`);

export const badRequest = (problem: string): StatusError => new StatusError(400, 'BadRequest', problem);

export const terminating = (place: Place, name: string): StatusError =>
  new StatusError(
    403,
    'Forbidden',
    `${qualified(place)} "${name}" is forbidden: unable to create new content in namespace ${place.namespace} because it is being terminated`,
  );
