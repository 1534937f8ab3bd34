/**
 * The metrics of the API server that the alerts and the dashboard use, with their labels. A cluster test compares this with a real API server.
 * https://kubernetes.io/docs/reference/instrumentation/metrics/
 */
export const API_SERVER_METRICS = {
  apiserver_admission_webhook_fail_open_count: ['name', 'type'],
  apiserver_admission_webhook_rejection_count: ['error_type', 'name', 'operation', 'rejection_code', 'type'],
  apiserver_admission_webhook_admission_duration_seconds_bucket: ['le', 'name', 'operation', 'rejected', 'type'],
} as const;

/** Values that are used of labels with a closed set. */
export const API_SERVER_LABEL_VALUES = { error_type: ['calling_webhook_error'] } as const;
