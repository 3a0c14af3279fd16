"""What opening and loading a host costs, in the objective's unit and in money: pure functions."""
