"""The interactive shell: the only home of prompt_toolkit."""
