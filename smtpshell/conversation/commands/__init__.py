"""The handlers of the local commands, a module for each kind."""
