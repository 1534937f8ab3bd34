import { Argument, type Command } from 'commander';

type Shell = 'bash' | 'zsh' | 'fish';

const LOAD = `
  bash  source <(belay completion bash)                    in ~/.bashrc
  zsh   source <(belay completion zsh)                     in ~/.zshrc, after compinit
  fish  belay completion fish > ~/.config/fish/completions/belay.fish

helm lock and kubectl belay are completed by the scripts of Helm and kubectl.`;

/** Prints the script of a shell. complete.ts answers the questions of that script. */
export const addCompletion = (program: Command): void => {
  program
    .command('completion')
    .description('print a script that completes commands, flags and releases')
    .addArgument(new Argument('<shell>').choices(['bash', 'zsh', 'fish']))
    .addHelpText('after', LOAD)
    .action(async (shell: Shell) => {
      const scripts = {
        bash: async () => (await import('./bash.ts')).bashScript,
        zsh: async () => (await import('./zsh.ts')).zshScript,
        fish: async () => (await import('./fish.ts')).fishScript,
      };
      process.stdout.write(await scripts[shell]());
    });
};
