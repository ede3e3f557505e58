"""What rules would have done with stored mentions, compared. Pure; `monitor.backtest` brings them."""
