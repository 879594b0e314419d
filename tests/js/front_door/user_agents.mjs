// What browsers say of themselves: [user agent, app it is inside, too old, maker].
// The strings are as they were seen in the wild; device names and versions vary.

const IOS = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)";
const CHROME = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0";
const WEBVIEW = "AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/126.0.6478.122 Mobile Safari/537.36";

export const IN_APPS = {
  "Telegram, Android": [
    `Mozilla/5.0 (Linux; Android 11; K) ${CHROME} Mobile Safari/537.36 Telegram-Android/11.2.1 (Tecno mobile limited TECNO CH7n; Android 11; SDK 30; AVERAGE)`,
    "Telegram",
  ],
  "Telegram, iPhone": [`${IOS} Version/17.5 Mobile/15E148 Safari/604.1 Telegram-iOS/11.3`, "Telegram"],
  "X, iPhone": [`${IOS} Mobile/15E148 Twitter for iPhone/10.46`, "X"],
  "X, iPad": [`${IOS.replaceAll("iPhone", "iPad")} Mobile/15E148 Twitter for iPad/10.46`, "X"],
  "X, Android": [`Mozilla/5.0 (Linux; Android 14; Pixel 8 Build/AP1A.240405.002; wv) ${WEBVIEW} TwitterAndroid`, "X"],
  "Instagram, iPhone": [
    `${IOS} Mobile/15E148 Instagram 337.0.3.23.54 (iPhone14,5; iOS 17_5_1; en_US; en; scale=3.00; 1170x2532; 614064327)`,
    "Instagram",
  ],
  "Instagram, Android": [
    `Mozilla/5.0 (Linux; Android 13; SM-S911B Build/TP1A.220624.014; wv) ${WEBVIEW} Instagram 335.0.0.39.93 Android (33/13; 480dpi; 1080x2119; samsung; SM-S911B; dm1q; qcom; en_GB; 611235247)`,
    "Instagram",
  ],
  "Threads, iPhone": [`${IOS} Mobile/15E148 Barcelona 336.0.0.28.92 (iPhone14,5; iOS 17_5_1; en_US; en; scale=3.00; 1170x2532)`, "Threads"],
  "Facebook, iPhone": [
    `${IOS} Mobile/15E148 [FBAN/FBIOS;FBAV/470.0.0.35.108;FBBV/610943254;FBDV/iPhone14,5;FBMD/iPhone;FBSN/iOS;FBSV/17.5.1;FBSS/3;FBID/phone;FBLC/en_US;FBOP/5]`,
    "Facebook",
  ],
  "Facebook, Android": [
    `Mozilla/5.0 (Linux; Android 12; SM-A525F Build/SP1A.210812.016; wv) ${WEBVIEW} [FB_IAB/FB4A;FBAV/470.0.0.48.98;]`,
    "Facebook",
  ],
  "Messenger, iPhone": [
    `${IOS} Mobile/15E148 [FBAN/MessengerForiOS;FBAV/463.0.0.39.106;FBBV/612345678;FBDV/iPhone14,5;FBMD/iPhone;FBSN/iOS;FBSV/17.5.1]`,
    "Messenger",
  ],
  "Messenger, Android": [
    `Mozilla/5.0 (Linux; Android 13; Pixel 6 Build/TQ3A.230805.001; wv) ${WEBVIEW} [FB_IAB/Orca-Android;FBAV/465.0.0.36.109;]`,
    "Messenger",
  ],
  "TikTok, iPhone": [
    `${IOS} Mobile/15E148 musical_ly_35.2.0 JsSdk/2.0 NetType/WIFI Channel/App Store ByteLocale/en Region/US isDarkMode/1 WKWebView/1 RevealType/Dialog BytedanceWebview/d8a21c6`,
    "TikTok",
  ],
  "TikTok, Android": [
    `Mozilla/5.0 (Linux; Android 12; M2101K6G Build/SKQ1.210908.001; wv) ${WEBVIEW} trill_350203 JsSdk/1.0 NetType/WIFI Channel/googleplay AppName/trill ByteLocale/en Region/DE BytedanceWebview/d8a21c6`,
    "TikTok",
    "Xiaomi",
  ],
  "LinkedIn, iPhone": [`${IOS} Mobile/15E148 [LinkedInApp]/9.30.1234`, "LinkedIn"],
  "LinkedIn, Android": [`Mozilla/5.0 (Linux; Android 14; SM-G991U Build/UP1A.231005.007; wv) ${WEBVIEW} [LinkedInApp]`, "LinkedIn"],
  "WeChat, iPhone": [`${IOS} Mobile/15E148 MicroMessenger/8.0.50(0x1800322b) NetType/WIFI Language/zh_CN`, "WeChat"],
  "WeChat, Android": [
    "Mozilla/5.0 (Linux; Android 12; ELS-AN00 Build/HUAWEIELS-AN00; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/116.0.0.0 Mobile Safari/537.36 XWEB/1160117 MMWEBSDK/20240501 MMWEBID/5566 MicroMessenger/8.0.50.2701(0x2800323E) WeChat/arm64 Weixin NetType/WIFI Language/zh_CN ABI/arm64",
    "WeChat",
    "Huawei or Honor",
  ],
  "LINE, iPhone": [`${IOS} Mobile/15E148 Safari Line/14.9.0`, "LINE"],
  "LINE, Android": [`Mozilla/5.0 (Linux; Android 13; SO-51C Build/64.1.B.4.88; wv) ${WEBVIEW} Line/14.9.0/IAB`, "LINE"],
  "Snapchat, iPhone": [`${IOS} Mobile/21F90 Snapchat/12.94.0.36 (like Safari/8618.2.12.10.9, panda)`, "Snapchat"],
  "Snapchat, Android": [`Mozilla/5.0 (Linux; Android 13; CPH2449 Build/TP1A.220905.001; wv) ${WEBVIEW} Snapchat/12.94.0.43`, "Snapchat", "OPPO, realme or OnePlus"],
  "Pinterest, iPhone": [`${IOS} Mobile/15E148 [Pinterest/iOS]`, "Pinterest"],
  "an app without a name, Android": [`Mozilla/5.0 (Linux; Android 10; Redmi Note 8 Build/QKQ1.200114.002; wv) ${WEBVIEW}`, "an app", "Xiaomi"],
  "an app without a name, iPhone": [`${IOS} Mobile/15E148`, "an app"],
  "an app without a name, iPad": ["Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)", "an app"],
};

export const ORDINARY = [
  // Apple
  `${IOS} Version/17.5 Mobile/15E148 Safari/604.1`,
  "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Mobile/15E148 Safari/604.1",
  "Mozilla/5.0 (iPhone; CPU iPhone OS 16_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/16.4 Mobile/15E148 Safari/604.1",
  "Mozilla/5.0 (iPad; CPU OS 16_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/16.6 Mobile/15E148 Safari/604.1",
  "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15",
  `${IOS} CriOS/126.0.6478.54 Mobile/15E148 Safari/604.1`,
  `${IOS} FxiOS/127.1 Mobile/15E148 Safari/605.1.15`,
  `${IOS} Version/17.0 EdgiOS/125.2535.96 Mobile/15E148 Safari/604.1`,
  `${IOS} GSA/322.0.645432923 Mobile/15E148 Safari/604.1`,
  `${IOS} Version/17.5 Mobile/15E148 DuckDuckGo/7 Safari/605.1.15`,
  "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/126 Version/11.1.1 Safari/605.1.15",
  `Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) ${CHROME} Safari/537.36`,
  "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:128.0) Gecko/20100101 Firefox/128.0",
  // Windows, Linux, ChromeOS
  `Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${CHROME} Safari/537.36`,
  "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/111.0.0.0 Safari/537.36",
  `Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${CHROME} Safari/537.36 Edg/126.0.0.0`,
  `Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${CHROME} Safari/537.36 OPR/112.0.0.0`,
  `Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${CHROME} Safari/537.36 Vivaldi/6.8`,
  "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:129.0) Gecko/20100101 Firefox/129.0",
  "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
  `Mozilla/5.0 (X11; Linux x86_64) ${CHROME} Safari/537.36`,
  "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/126.0.0.0 Safari/537.36",
  `Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) ${CHROME} Safari/537.36`,
  // Android; "K" is what Chromium says instead of a model
  `Mozilla/5.0 (Linux; Android 10; K) ${CHROME} Mobile Safari/537.36`,
  `Mozilla/5.0 (Linux; Android 10; K) ${CHROME} Mobile Safari/537.36 EdgA/126.0.0.0`,
  "Mozilla/5.0 (Linux; Android 14; SM-S918B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/25.0 Chrome/121.0.0.0 Mobile Safari/537.36",
  "Mozilla/5.0 (Android 14; Mobile; rv:128.0) Gecko/128.0 Firefox/128.0",
  `Mozilla/5.0 (Linux; Android 13; moto g(30)) ${CHROME} Mobile Safari/537.36`,
  `Mozilla/5.0 (Linux; Android 14; Pixel 8 Pro) ${CHROME} Mobile Safari/537.36`,
  `Mozilla/5.0 (Linux; Android 13; XQ-BC52) ${CHROME} Mobile Safari/537.36`,
  `Mozilla/5.0 (Linux; Android 14; A063) ${CHROME} Mobile Safari/537.36`,
  `Mozilla/5.0 (Linux; Android 12; LM-G710) ${CHROME} Mobile Safari/537.36`,
  `Mozilla/5.0 (Linux; Android 12; Nokia G50) ${CHROME} Mobile Safari/537.36`,
  `Mozilla/5.0 (Linux; Android 13; ASUS_AI2202) ${CHROME} Mobile Safari/537.36`,
  "Mozilla/5.0 (Linux; Android 12; Pixel 6) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/126.0.0.0 Mobile DuckDuckGo/5 Safari/537.36",
];

export const TOO_OLD = [
  "Mozilla/5.0 (iPhone; CPU iPhone OS 16_3_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/16.3 Mobile/15E148 Safari/604.1",
  "Mozilla/5.0 (iPhone; CPU iPhone OS 15_8 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/126.0.6478.54 Mobile/15E148 Safari/604.1",
  "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/15.6.1 Safari/605.1.15",
  "Mozilla/5.0 (Windows NT 6.1; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/109.0.0.0 Safari/537.36",
  "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/64.0.3282.140 Safari/537.36 Edge/18.17763",
  "Mozilla/5.0 (Windows NT 6.1; Win64; x64; rv:115.0) Gecko/20100101 Firefox/115.0",
  "Mozilla/5.0 (Android 13; Mobile; rv:127.0) Gecko/127.0 Firefox/127.0",
];

// [user agent, model that Chromium told, maker]
export const PHONES = [
  [`Mozilla/5.0 (Linux; Android 10; K) ${CHROME} Mobile Safari/537.36`, "NOH-NX9", "Huawei or Honor"],
  [`Mozilla/5.0 (Linux; Android 10; K) ${CHROME} Mobile Safari/537.36`, "REA-NX9", "Huawei or Honor"],
  ["Mozilla/5.0 (Linux; Android 10; HarmonyOS; VOG-L29; HMSCore 6.13.0.302) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/114.0.5735.196 HuaweiBrowser/14.0.6.300 Mobile Safari/537.36", "", "Huawei or Honor"],
  ["Mozilla/5.0 (Phone; OpenHarmony 5.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/114.0.0.0 Safari/537.36 ArkWeb/4.1.6.1 Mobile HuaweiBrowser/5.1.5.352", "", "Huawei or Honor"],
  [`Mozilla/5.0 (Linux; Android 10; K) ${CHROME} Mobile Safari/537.36`, "2201116SG", "Xiaomi"],
  [`Mozilla/5.0 (Linux; Android 10; K) ${CHROME} Mobile Safari/537.36`, "Mi 9T", "Xiaomi"],
  [`Mozilla/5.0 (Linux; Android 10; K) ${CHROME} Mobile Safari/537.36`, "23049PCD8G", "Xiaomi"],
  ["Mozilla/5.0 (Linux; U; Android 13; en-gb; POCO F4 Build/TKQ1.220829.002) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/112.0.5615.136 Mobile Safari/537.36 XiaoMi/MiuiBrowser/14.10.1-gn", "", "Xiaomi"],
  [`Mozilla/5.0 (Linux; Android 10; K) ${CHROME} Mobile Safari/537.36`, "V2034A", "vivo"],
  [`Mozilla/5.0 (Linux; Android 10; K) ${CHROME} Mobile Safari/537.36`, "I2012", "vivo"],
  [`Mozilla/5.0 (Linux; Android 12; vivo 1906) ${CHROME} Mobile Safari/537.36`, "", "vivo"],
  [`Mozilla/5.0 (Linux; Android 10; K) ${CHROME} Mobile Safari/537.36`, "CPH2305", "OPPO, realme or OnePlus"],
  [`Mozilla/5.0 (Linux; Android 10; K) ${CHROME} Mobile Safari/537.36`, "RMX3085", "OPPO, realme or OnePlus"],
  [`Mozilla/5.0 (Linux; Android 10; K) ${CHROME} Mobile Safari/537.36`, "KB2003", "OPPO, realme or OnePlus"],
  [`Mozilla/5.0 (Linux; Android 10; K) ${CHROME} Mobile Safari/537.36`, "PHB110", "OPPO, realme or OnePlus"],
  ["Mozilla/5.0 (Linux; Android 9; CPH1909 Build/O11019; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/120.0.0.0 Mobile Safari/537.36", "", "OPPO, realme or OnePlus"],
  ["Mozilla/5.0 (Linux; Android 11; ONEPLUS A6013) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Mobile Safari/537.36", "", "OPPO, realme or OnePlus"],
];
