error-not-found = 這個網址沒有內容。請核對網址，或搜尋您要找的內容。
error-unauthorized = 請先登入。
error-forbidden = 您的角色沒有這項權限。
error-invalid = 送出的內容有誤，請更正後再試。
error-too-large = 內容太大，無法接收。
error-too-many = 請求過於頻繁，請在 { $seconds } 秒後再試。
error-internal = 伺服器出了問題，我們已記錄。請稍後再試。
error-unavailable = 暫時無法使用，請稍後再試。
