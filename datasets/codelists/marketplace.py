"""Code lists of a marketplace that no law fixes. They are Daylight's own, version 1, closed and public."""

from __future__ import annotations

from datasets.codelists import flat_list
from datasets.definition import CodeList

OWN = "Daylight's own list, version 1"


def _own_list(name: str, title: str, labels: dict[str, str], law: str = "") -> CodeList:
    return flat_list(name, title, f"{OWN}; {law}" if law else OWN, labels)


# --- shared by several datasets -------------------------------------------------------------------

SURFACE = _own_list("surface", "Where on the platform", {
    "home_feed": "Home feed", "search_results": "Search results", "category_page": "Category page",
    "item_page_related": "Related items on an item page", "cart_related": "Related items in the cart",
    "live": "Live streams", "affiliate_page": "Affiliate pages", "message": "Messages",
    "email_push": "E-mail and push messages", "other": "Elsewhere",
})  # fmt: skip

PRODUCT_CATEGORY = _own_list("product_category", "Top level of the product tree", {
    "apparel": "Clothing", "shoes": "Shoes", "bags_luggage": "Bags and luggage", "jewellery_watches": "Jewellery, watches",
    "beauty": "Beauty and hair", "health": "Health and wellness", "food": "Food and drink", "toys_games": "Toys and games",
    "babies_children": "Babies and children", "phones": "Phones and accessories", "computers": "Computers and office",
    "consumer_electronics": "Consumer electronics", "home_appliances": "Home appliances", "furniture": "Furniture",
    "home_garden": "Home and garden", "home_improvement": "Home improvement", "lighting": "Lights and lighting",
    "tools": "Tools", "vehicles": "Car and motorcycle parts", "sports": "Sports and outdoors",
    "security": "Security and protection", "office_school": "Office and school", "pets": "Pet supplies",
    "adult": "Adult products", "digital": "Digital goods and services", "other": "Other",
})  # fmt: skip

PRODUCT_RISK_CLASS = _own_list("product_risk_class", "Kind of product that the law watches", {
    "none": "No particular risk class", "food_supplement": "Food supplements", "medicinal_product": "Medicinal products",
    "medical_device": "Medical devices", "sexual_health": "Sexual health", "adult_content": "Adult content",
    "toy_childcare": "Toys and childcare articles", "cosmetics": "Cosmetics", "electrical_ce": "Electrical, CE-marked",
    "weapon_like": "Weapon-like articles", "protected_species": "Protected species", "other_regulated": "Otherwise regulated",
}, "after the AliExpress commitments on food supplements and medical products, binding since 18 June 2025")  # fmt: skip

SELLER_REGION = _own_list("seller_region", "Where the seller is established", {
    "EU": "European Union", "CN": "China", "GB": "United Kingdom", "US": "United States", "other": "Elsewhere",
})  # fmt: skip

AGE_BAND = _own_list("age_band", "Age of the recipient; minors are not served", {
    "18-24": "18 to 24", "25-34": "25 to 34", "35-44": "35 to 44", "45-54": "45 to 54", "55-64": "55 to 64",
    "65+": "65 and older",
})  # fmt: skip

DEVICE = _own_list("device", "Device", {
    "app_android": "App on Android", "app_ios": "App on iOS", "web_mobile": "Mobile web", "web_desktop": "Desktop web",
    "other": "Another device",
})  # fmt: skip

REMOVED = _own_list("removed", "Whether it was removed later", {
    "no": "Not removed", "illegal": "Removed as illegal", "terms": "Removed as against the terms",
}, "Regulation (EU) 2022/2065, Art. 39(3)")  # fmt: skip

# --- moderation -----------------------------------------------------------------------------------

DETECTION_SCHEME = _own_list("detection_scheme", "The scheme that was detected", {
    "none": "No scheme", "hidden_link": "Hidden links", "off_site_contact": "Luring off the platform",
    "listing_swap": "Listings changed after review", "review_fraud": "Fraudulent reviews",
    "image_evasion": "Evasion by images", "keyword_evasion": "Evasion by keywords",
    "affiliate_misuse": "Misuse of the affiliate programme", "other": "Another scheme",
}, "after the AliExpress commitments on hidden links, binding since 18 June 2025")  # fmt: skip

ACTOR_ROLE = _own_list("actor_role", "Who was restricted", {
    "trader": "Trader", "affiliate": "Affiliate", "influencer": "Influencer", "buyer": "Buyer",
}, "after the AliExpress commitments on affiliates and influencers")  # fmt: skip

TRADER_VERIFICATION = _own_list("trader_verification", "How far the trader's identity was verified", {
    "verified": "Verified", "pending": "Pending", "failed": "Failed", "expired": "Expired", "not_a_trader": "Not a trader",
}, "Regulation (EU) 2022/2065, Art. 30")  # fmt: skip

HOURS_TO_ACTION = _own_list("hours_to_action", "Hours from notice or detection to action", {
    "under_1": "Under 1 hour", "1_to_6": "1 to 6 hours", "6_to_24": "6 to 24 hours", "24_to_72": "24 to 72 hours",
    "72_to_168": "72 hours to 7 days", "over_168": "Over 7 days",
}, "Implementing Regulation (EU) 2024/2835, Annex I, part 4, asks for the median in hours")  # fmt: skip

COMPLAINT_OUTCOME = _own_list("complaint_outcome", "What became of an internal complaint", {
    "none": "No complaint", "upheld": "Decision upheld", "partially_reversed": "Decision partially reversed",
    "reversed": "Decision reversed", "omitted": "No decision taken", "pending": "Pending",
}, "Regulation (EU) 2022/2065, Art. 20; Implementing Regulation (EU) 2024/2835, part 7")  # fmt: skip

# --- ads ------------------------------------------------------------------------------------------

AD_FORMAT = _own_list("ad_format", "Format of the ad", {
    "sponsored_listing": "Sponsored listing", "search_ad": "Search ad", "banner": "Banner", "video": "Video",
    "live_promo": "Promotion in a live stream", "push": "Push message", "other": "Another format",
})  # fmt: skip

ADVERTISER_TYPE = _own_list("advertiser_type", "On whose behalf the ad was shown", {
    "business": "A business", "individual_trader": "An individual trader", "affiliate": "An affiliate",
    "platform_own": "The platform itself",
}, "Regulation (EU) 2022/2065, Art. 39(2)(b)")  # fmt: skip

COMMERCIAL_COMMUNICATION = _own_list("commercial_communication", "Commercial communication by recipients", {
    "declared": "Declared as such", "detected": "Detected, not declared", "none": "None",
}, "Regulation (EU) 2022/2065, Art. 26(2)")  # fmt: skip

TARGETING_BASIS = _own_list("targeting_basis", "Main parameter by which recipients were chosen", {
    "none": "None", "contextual": "Context", "keyword": "Keyword", "location": "Location", "language": "Language",
    "age": "Age", "gender": "Gender", "interest": "Interest", "purchase_history": "Purchase history",
    "retargeting": "Retargeting", "lookalike": "Similar recipients", "device": "Device", "new_customer": "New customers",
}, "Regulation (EU) 2022/2065, Art. 26(1)(d) and 39(2)(e)")  # fmt: skip

TARGETING_MODE = _own_list("targeting_mode", "Whether the parameter included or excluded recipients", {
    "include": "Included", "exclude": "Excluded", "none": "Neither",
}, "Regulation (EU) 2022/2065, Art. 39(2)(e)")  # fmt: skip

PROFILING = _own_list("profiling", "Whether the recipient was chosen by profiling", {
    "yes": "By profiling", "no": "Not by profiling",
}, "Regulation (EU) 2022/2065, Art. 26(3) and 28(2)")  # fmt: skip

# --- recommendations ------------------------------------------------------------------------------

SYSTEM = _own_list("system", "Recommender system", {
    "home": "Home feed", "search_ranking": "Search ranking", "similar_items": "Similar items",
    "bought_together": "Bought together", "live": "Live streams", "affiliate_pool": "Affiliate pool", "email": "E-mail",
}, "Regulation (EU) 2022/2065, Art. 27")  # fmt: skip

OPTION = _own_list("option", "Option of the recommender system in force", {
    "profiling_default": "Profiling, as set by default", "profiling_tuned": "Profiling, tuned by the recipient",
    "non_profiling": "Not based on profiling",
}, "Regulation (EU) 2022/2065, Art. 27(3) and 38")  # fmt: skip

CANDIDATE_SOURCE = _own_list("candidate_source", "Where the item came from", {
    "popularity": "Popularity", "collaborative": "Behaviour of similar recipients", "content": "Similarity of content",
    "sponsored": "Sponsored", "new_item": "New items", "editorial": "Editorial choice", "reengagement": "Re-engagement",
})  # fmt: skip

MAIN_PARAMETER_GROUP = _own_list("main_parameter_group", "Main parameter that decided", {
    "past_purchases": "Past purchases", "browsing": "Browsing", "search_query": "Search query", "price": "Price",
    "rating": "Rating", "delivery": "Delivery", "seller_score": "Seller score", "location": "Location",
    "popularity": "Popularity", "paid": "Payment",
}, "Regulation (EU) 2022/2065, Art. 27(1) and (2)")  # fmt: skip

MODEL_VERSION = _own_list("model_version", "Generation of the model", {
    "v1": "First generation", "v2": "Second generation", "v3": "Third generation", "random": "Chosen at random",
})  # fmt: skip

AB_CELL = _own_list("ab_cell", "Cell of a running experiment", {
    "none": "No experiment", "control": "Control",
    **{f"t{i}": f"Treatment {i}" for i in range(1, 10)},
}, "Delegated Regulation (EU) 2025/2050, recital 13")  # fmt: skip

POSITION_BAND = _own_list("position_band", "Position in the list", {
    "1": "First", "2-3": "2 to 3", "4-10": "4 to 10", "11-20": "11 to 20", "21-50": "21 to 50", "over_50": "Below 50",
})  # fmt: skip
