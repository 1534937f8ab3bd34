/** The text of `--help`. `name` stands before the commands, such as `helm lock`. */
export const lockHelp = (
  name: string,
): string => `Runs a Helm command when it is its turn, and holds the release until it is done.

Usage:
  ${name} upgrade|install|rollback|uninstall RELEASE [CHART] [any flags of helm]
  ${name} PLUGIN upgrade|install|… RELEASE …      runs \`helm PLUGIN …\`, such as secrets
  ${name} any RELEASE [-n NAMESPACE] -- COMMAND …  runs any command

Flags:
  --lock-timeout duration   longest wait for the release (default 10m); Helm's own time is not part of it
  --no-recover              leave a release that is stuck or failed as it is
  --only-newer              end well without doing anything when the chart is not newer than what is deployed
  --skip-locked             end well without doing anything when the release is frozen or pinned

The exit code is Helm's. Others: 64 usage, 69 cluster unreachable, 75 lock timeout, 76 recovery failed, 77 denied.
HELM_BIN names the helm to run; otherwise it is looked for on the PATH.
`;
