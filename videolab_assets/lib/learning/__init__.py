"""What ads teach: from their counts to a posterior of each clip, from there to a proposal of other rules, which a person may approve.

Data flows one way: `evidence`, `posterior` (whose arithmetic is in `pooling`), then `policies`, `calibration`, `proposal` and
`approval`; `plots` draws. Nothing here changes the rules by itself.
"""
