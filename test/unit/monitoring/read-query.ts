import { parser } from '@prometheus-io/lezer-promql';

export interface Matcher {
  readonly label: string;
  readonly operator: string;
  readonly value: string;
}

export interface Selector {
  readonly metric: string;
  readonly matchers: readonly Matcher[];
}

/** Labels by which the query aggregates or compares, with the metrics of these labels. */
export interface Grouping {
  readonly labels: readonly string[];
  readonly metrics: readonly string[];
}

export interface Query {
  readonly selectors: readonly Selector[];
  readonly groupings: readonly Grouping[];
  /** By which the outermost aggregation groups; undefined where nothing is aggregated. */
  readonly resultLabels: readonly string[] | undefined;
}

type Tree = ReturnType<typeof parser.parse>;
type Node = Tree['topNode'];

const childrenOf = (node: Node): readonly Node[] => {
  const children: Node[] = [];
  for (let child = node.firstChild; child !== null; child = child.nextSibling) children.push(child);
  return children;
};

const within = (node: Node, name: string): readonly Node[] => [
  ...(node.name === name ? [node] : []),
  ...childrenOf(node).flatMap((child) => within(child, name)),
];

/** Parses PromQL by Prometheus' own grammar. Throws where it does not parse. */
export const readQuery = (written: string): Query => {
  // What Grafana puts in.
  const text = written.replaceAll('$__rate_interval', '5m');
  const { topNode } = parser.parse(text);
  const textOf = (node: Node): string => text.slice(node.from, node.to);
  const [broken] = within(topNode, '⚠');
  if (broken !== undefined) throw new SyntaxError(`at ${broken.from} of: ${text}`);

  const selectorOf = (node: Node): Selector => ({
    metric: within(node, 'Identifier').map(textOf).join(),
    matchers: within(node, 'UnquotedLabelMatcher').map((matcher) => {
      const [label, operator, value] = childrenOf(matcher).map(textOf);
      return { label: label ?? '', operator: operator ?? '', value: JSON.parse(value ?? '""') as string };
    }),
  });
  const metricsIn = (node: Node): readonly string[] =>
    within(node, 'VectorSelector').map((selector) => selectorOf(selector).metric);
  const groupingOf = (labels: Node): Grouping => {
    let expression: Node | null = labels;
    while (expression !== null && !/^(Aggregate|Binary)Expr$/.test(expression.name)) expression = expression.parent;
    return {
      labels: within(labels, 'LabelName').map(textOf),
      metrics: expression === null ? [] : metricsIn(expression),
    };
  };
  const groupings = within(topNode, 'GroupingLabels').map(groupingOf);
  const isAggregated = within(topNode, 'AggregateExpr').length > 0;
  return {
    selectors: within(topNode, 'VectorSelector').map(selectorOf),
    groupings,
    resultLabels: isAggregated ? (groupings[0]?.labels ?? []) : undefined,
  };
};
