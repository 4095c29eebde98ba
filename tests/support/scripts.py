"""The same 50 sentences in several scripts, with and without spaces between words."""

PLACES = {
    "English": ("london", "paris", "berlin", "madrid", "rome"),
    "Chinese": ("北京", "上海", "广州", "成都", "武汉"),
    "Japanese": ("東京", "大阪", "京都", "札幌", "福岡"),
    "Thai": ("กรุงเทพ", "เชียงใหม่", "ภูเก็ต", "ขอนแก่น", "หาดใหญ่"),
}
THINGS = {
    "English": ("camera", "headset", "phone", "laptop", "mouse", "keyboard", "speaker", "radio", "fridge", "watch"),
    "Chinese": ("相机", "耳机", "手机", "电脑", "鼠标", "键盘", "音箱", "电视", "冰箱", "手表"),
    "Japanese": ("カメラ", "電話", "時計", "鍵盤", "冷蔵庫", "テレビ", "マウス", "椅子", "自転車", "机"),
    "Thai": ("กล้อง", "หูฟัง", "โทรศัพท์", "คอมพิวเตอร์", "เมาส์", "คีย์บอร์ด", "ลำโพง", "โทรทัศน์", "ตู้เย็น", "นาฬิกา"),
}
SENTENCES = {
    "English": "The {thing} that I bought in {place} yesterday broke after only two days!",
    "Chinese": "我昨天在{place}买的{thing}才用了两天就坏了，真让人失望！",
    "Japanese": "昨日{place}で買った{thing}がたった二日で壊れてしまい、とても残念です！",
    "Thai": "{thing}ที่ฉันซื้อจาก{place}เมื่อวานนี้พังหลังจากใช้ไปเพียงสองวันเท่านั้น",
    "mixed": "我昨天在{place}买的{thing}连不上Wi-Fi和iPhone，才两天就坏了。",
}


def same_sentences(script: str) -> list[str]:
    """The 50 sentences in one of the scripts of `SENTENCES`; each says as much as 8 to 15 words of English."""
    words = "Chinese" if script == "mixed" else script
    return [SENTENCES[script].format(place=p, thing=t) for p in PLACES[words] for t in THINGS[words]]
