"""One module a family of algorithms; each lists its `ENTRIES`, and a new module is found without any other edit."""
