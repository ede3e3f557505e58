"""The rule language: which keys a file of the rules folder has, what they may hold, and the value it becomes.

What one file says of others (a brand, a team, a topic, a playbook) is checked against the `References` given as context.
Reading the folder as a whole is `load`'s business.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, TypeAdapter, ValidationInfo, with_config

from monitor.fields import (
    FILE,
    Channel,
    Count,
    Duration,
    Language,
    Matching,
    Score,
    Share,
    Switch,
    Text,
    between,
    checked,
    did_you_mean,
    fault,
    faults,
    json_schema,
)
from monitor.model import Scope, Severity
from monitor.rules.rule import (
    Acknowledged,
    AlertCondition,
    AuthorReach,
    DiscussionFloor,
    MatchSpec,
    NegativeIf,
    NegativeMentions,
    NegativeShare,
    OutsideHours,
    Rule,
    Spike,
    Status,
    Team,
    TierSpec,
    Timing,
    TopicsSpec,
)
from monitor.yamlfile import Document, shortened
