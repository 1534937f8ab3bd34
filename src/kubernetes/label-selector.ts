// Our own: @kubernetes/client-node has the type of a selector, and nothing that applies it.

/** A LabelSelector of k8s.io/apimachinery meta/v1. All its conditions must hold. */
export interface LabelSelector {
  readonly matchLabels?: Readonly<Record<string, string>> | undefined;
  readonly matchExpressions?: readonly LabelExpression[] | undefined;
}

export interface LabelExpression {
  readonly key: string;
  readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
  readonly values?: readonly string[] | undefined;
}

export type Labels = Readonly<Record<string, string>>;

const holds = ({ key, operator, values = [] }: LabelExpression, labels: Labels): boolean => {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn': // as everywhere in Kubernetes: an object without the label is not in
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
  }
};

/** An empty selector selects everything. */
export const compileSelector = ({ matchLabels = {}, matchExpressions = [] }: LabelSelector) => {
  const expressions: readonly LabelExpression[] = [
    ...Object.entries(matchLabels).map(([key, value]) => ({ key, operator: 'In', values: [value] }) as const),
    ...matchExpressions,
  ];
  return (labels: Labels): boolean => expressions.every((expression) => holds(expression, labels));
};
