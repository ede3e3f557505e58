"""Who is called and when: teams, their hours, rota and deputies. Pure."""
