"""What a notice to very many costs, and what else goes on meanwhile."""
