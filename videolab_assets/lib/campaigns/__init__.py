"""Campaigns at Meta: what a person asks for, the plan of it, and the plan carried out once, whatever dies in between.

A request (`request`) and the clips it names (`library`) become a plan (`plan`); `building` makes it at Meta, all of it paused, with the
`ledger` as its memory; `verifying` reads it back; `arming` turns it on, or everything off.
"""
