"""What each kind of object has: parameters that may be written, and fields that may be read."""

from typing import Any

from .errors import words

NODES = {
    "campaign": "Campaign",
    "adset": "AdSet",
    "video": "Video",
    "image": "AdImage",
    "creative": "AdCreative",
    "ad": "Ad",
    "ad_study": "AdStudy",
    "account": "AdAccount",
    "report": "AdReportRun",
}
"""Kinds as Meta's messages call them."""

EDGES = {"campaigns": "campaign", "adsets": "adset", "advideos": "video", "adimages": "image", "adcreatives": "creative", "ads": "ad"}
"""Edges of an ad account, and the kind that each lists."""

ANYWHERE = words(
    "fields limit after before summary execution_options format pretty debug locale date_format include_headers "
    "suppress_http_code appsecret_proof method"
)
"""Parameters that any request may have."""

LISTING = words("filtering effective_status date_preset time_range updated_since is_completed title ids hashes name minwidth")

WRITABLE = {
    "campaign": words(
        "name objective status special_ad_categories special_ad_category_country buying_type daily_budget "
        "lifetime_budget bid_strategy is_adset_budget_sharing_enabled spend_cap start_time stop_time promoted_object "
        "adlabels pacing_type is_skadnetwork_attribution"
    ),
    "adset": words(
        "name campaign_id billing_event optimization_goal targeting daily_budget lifetime_budget bid_amount bid_strategy "
        "start_time end_time status promoted_object destination_type attribution_spec pacing_type dsa_beneficiary "
        "dsa_payor frequency_control_specs is_dynamic_creative adset_schedule daily_min_spend_target daily_spend_cap "
        "lifetime_min_spend_target lifetime_spend_cap adlabels optimization_sub_event multi_optimization_goal_weight"
    ),
    "creative": words(
        "name object_story_spec asset_feed_spec url_tags degrees_of_freedom_spec status adlabels call_to_action_type "
        "link_url contextual_multi_ads object_type authorization_category"
    ),
    "ad": frozenset(["name", "adset_id", "creative", "status", "tracking_specs", "conversion_domain", "adlabels", "display_sequence"]),
    "ad_study": words("name description type start_time end_time cells objectives cooldown_start_time observation_end_time"),
    "video": words(
        "name title description upload_phase upload_session_id start_offset end_offset file_size video_file_chunk file_url source thumb"
    ),
    "image": frozenset(["filename", "bytes", "name", "copy_from"]),
    "account": frozenset(["name", "spend_cap", "default_dsa_payor", "default_dsa_beneficiary"]),
}

FIXED = {
    "campaign": frozenset({"objective", "buying_type"}),
    "adset": frozenset({"campaign_id"}),
    "ad": frozenset({"adset_id"}),
    "creative": frozenset({"object_story_spec", "asset_feed_spec"}),
}
"""What cannot be changed after creation."""

_STATUS = words("status configured_status effective_status issues_info created_time updated_time account_id id adlabels")

READABLE: dict[str, frozenset[str]] = {
    "campaign": WRITABLE["campaign"]
    | _STATUS
    | frozenset(["budget_remaining", "can_use_spend_cap", "source_campaign_id", "recommendations"]),
    "adset": WRITABLE["adset"]
    | _STATUS
    | frozenset(
        ["budget_remaining", "campaign", "learning_stage_info", "created_time", "lifetime_imps", "recommendations", "source_adset_id"]
    ),
    "creative": WRITABLE["creative"]
    | words("id account_id video_id image_hash image_url thumbnail_url body title effective_object_story_id actor_id"),
    "ad": WRITABLE["ad"]
    | _STATUS
    | frozenset(
        ["campaign_id", "campaign", "adset", "ad_review_feedback", "bid_type", "preview_shareable_link", "recommendations", "source_ad_id"]
    ),
    "ad_study": WRITABLE["ad_study"]
    | frozenset(["id", "business", "created_time", "updated_time", "canceled_time", "results_first_available_date"]),
    "video": words(
        "id title description status created_time updated_time length source picture permalink_url published from format thumbnails name"
    ),
    "image": words("id hash name url url_128 account_id created_time updated_time status width height permalink_url"),
    "account": words(
        "id account_id name currency timezone_name timezone_id timezone_offset_hours_utc account_status disable_reason "
        "spend_cap amount_spent balance business min_daily_budget owner created_time default_dsa_payor "
        "default_dsa_beneficiary age capabilities is_prepay_account"
    ),
    "report": words(
        "id account_id time_ref time_completed async_status async_percent_completion is_running date_start date_stop "
        "schedule_id emails friendly_name error_code error_subcode error_message error_user_title error_user_msg"
    ),
}

FILTERABLE = frozenset(["id", "name", "effective_status", "status", "created_time", "updated_time", "title", "objective"])
PREFIXES = {"campaign": "campaign.", "adset": "adset.", "ad": "ad."}


def split_fields(text: Any) -> list[tuple[str, str]]:
    """Field names, each with what stands in its braces: `id,creative{id,name}` gives [("id", ""), ("creative", "id,name")]."""
    if isinstance(text, list):
        text = ",".join(str(one) for one in text)
    found: list[tuple[str, str]] = []
    depth, name, inner = 0, "", ""
    for letter in f"{text},":
        if letter == "," and depth == 0:
            if name.strip():
                found.append((name.strip(), inner))
            name = inner = ""
            continue
        if letter == "}":
            depth -= 1
        if depth:
            inner += letter
        elif letter not in "{}":
            name += letter
        if letter == "{":
            depth += 1
    return found
