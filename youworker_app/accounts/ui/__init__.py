"""The screens of accounts: setup, sign-in, the account menu."""
