# Belay's server alone: Node, the libraries that it is linked with, and the bundle. There is no shell in it, no npm, no other program.
# Exact to the byte where the base is named by its digest: --build-arg NODE_IMAGE=node:24.21.0-bookworm-slim@sha256:...
# No image was built on the machine that the rest was made on, which has no Docker; test/cluster/image.test.ts carries this file out without.
ARG NODE_IMAGE=node:24.21.0-bookworm-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /build
COPY package.json package-lock.json ./
# Without the scripts of packages: the bundle needs none of them, and nothing that they could fetch.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY LICENSE build.ts tsconfig.json ./
COPY packaging packaging
COPY src src
RUN node build.ts
RUN node packaging/image-root.ts image

FROM scratch
ARG VERSION=unreleased
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Belay" \
      org.opencontainers.image.description="An admission webhook for Kubernetes that makes Helm releases safe to share" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /build/image /
ENV NODE_ENV=production
# The numeric user that manifests/base asks for; a name could not be checked against runAsNonRoot.
USER 65532:65532
EXPOSE 8443 9090
# Reviews are short-lived garbage by the megabyte: a nursery of fixed size, which counts twice in the memory of the process, and is collected the
# more often the smaller it is (docs/benchmarks.md). One thread helps to collect it, not the four that
# Node starts on any machine: on the core or two that Belay gets they would stand in each other's way, and in that of the event loop.
ENTRYPOINT ["/bin/node", "--max-semi-space-size=16", "--v8-pool-size=1", "/belay/belay.js"]
CMD ["serve"]
