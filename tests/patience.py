"""How long a test waits for what must come, in seconds: a busy machine is no failure, and only what never comes costs it all."""

PATIENCE = 300
