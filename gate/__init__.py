"""A ticket gate: verifies ride codes without the network. It imports nothing of ours."""
