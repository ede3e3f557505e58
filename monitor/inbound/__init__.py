"""What people do in Slack: heard over the socket, kept in the inbox, carried out, answered.

    talking ─▶ inbox ─▶ clicks ─▶ acting           what changes something
       └─▶ at_once ─▶ Slack                       forms to open, commands to answer, App Home

`sites` says in whose database, `people` who it is, `hearing` how the connection stands.
"""
