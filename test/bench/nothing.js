// What Node takes to start, and nothing more: measure-start.ts.
