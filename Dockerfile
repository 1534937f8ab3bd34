# The server alone: one bundle, no node_modules. Not built on the machine that the rest was made on, which has no Docker.
FROM node:24.21.0-slim AS build
WORKDIR /belay
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY build.ts tsconfig.json ./
COPY src src
RUN node build.ts

FROM node:24.21.0-slim
ENV NODE_ENV=production
# The bundle comes in several files: the command line, what it loads to serve, and what its worker threads run.
COPY --from=build /belay/dist /belay
# The numeric user that manifests/base asks for; a name could not be checked against runAsNonRoot.
USER 65532:65532
EXPOSE 8443 9090
# Reviews are short-lived garbage by the megabyte: a nursery of fixed size, which counts twice in the memory of the process, and is collected the
# more often the smaller it is (docs/benchmarks.md). One thread helps to collect it, not the four that
# Node starts on any machine: on the core or two that Belay gets they would stand in each other's way, and in that of the event loop.
ENTRYPOINT ["node", "--max-semi-space-size=16", "--v8-pool-size=1", "/belay/belay.js"]
CMD ["serve"]
