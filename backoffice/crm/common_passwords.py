"""Passwords that guessers try first, of eight letters or more; all in lower case."""

from __future__ import annotations

COMMON = frozenset(
    """
!@#$%^&* 00000000 000000000 0000000000 0123456789 0987654321 10101010 11111111 111111111 1111111111 11223344 112233445566
12121212 123123123 12341234 12344321 123456123 12345678 123456789 1234567890 1234567891 12345678910 123456789a 123456abc
12345abc 1234abcd 1234qwer 123654789 12369874 12qwaszx 135792468 147258369 147852369 14789632 159753456 19901990 1password
1q2w3e4r 1q2w3e4r5t 1q2w3e4r5t6y 1qaz2wsx 1qaz2wsx3edc 1qazxsw2 20002000 20202020 20242024 20252025 20262026 22222222
246813579 27182818 31415926 321654987 33333333 44444444 456789123 5201314520 55555555 66666666 741852963 77777777 789456123
87654321 88888888 963852741 987654321 9876543210 99999999 a12345678 a123456789 a1b2c3d4 a1s2d3f4 aa123456 aa12345678
aaaaaaaa aaaaaaaaaa abc12345 abc123456 abcd1234 abcdabcd abcdefgh abcdefghi abcdefghij access14 account1 account123 admin123
admin1234 administrator alexander angelina apple123 arsenal1 asd123456 asdf1234 asdfasdf asdfghjk asdfghjkl asdfghjkl1
azerty123 azertyuiop babygirl babygirl1 bailey123 banana123 barcelona barcelona1 baseball baseball1 basketball batman123
bayern123 benjamin blink182 bmw12345 buster123 butterfly butterfly1 caroline changeme changeme1 changeme123 charlie1
cheese123 cheesecake chelsea1 chocolate christian christine computer computer1 cookie123 correcthorsebatterystaple corvette
counter1 customer customer1 daniel123 danielle default1 dolphins dortmund dragon123 einkaufen elephant elizabeth elizabeth1
facebook facebook1 ferrari1 football football1 forever1 forever21 fortnite freedom1 freedom123 fruehling fussball gabriella
gameover garfield geheim123 ginger123 goodluck google123 guest123 hallo123 hallo1234 hallohallo happy123 happyday hello123
hello1234 hellohello hellokitty herbst2025 hunter123 hunter2000 hunter22 ichliebedich iloveyou iloveyou1 iloveyou123
iloveyou2 internet internet1 iphone123 isabella jackson1 januar2026 jennifer jennifer1 jessica1 jetaime1 jordan23 juventus
killer123 kunde123 kundenkonto letmein1 letmein123 linkedin liverpool liverpool1 login123 lollipop lovelove loveyou1
madison1 maggie123 manchester master123 maverick mercedes metallica michael1 michelle minecraft minecraft1 monkey123
mustang1 myaccount mylove123 mypass123 mypassword nicole123 ninja123 nintendo nirvana1 nokia1234 nopassword november
orange123 p@ssw0rd p@ssword pass1234 pass12345 passpass passw0rd password password! password00 password01 password1
password1! password10 password11 password12 password123 password1234 password2 password3 password99 passwort passwort1
passwort123 patricia pepper123 playstation poiuytrewq pokemon1 porsche911 princess princess1 q1w2e3r4 q1w2e3r4t5 qazwsx123
qazwsxedc qweasd123 qweasdzxc qwer1234 qwert123 qwerty!@# qwerty12 qwerty123 qwerty1234 qwerty12345 qwertyui qwertyuiop
qwertzui qwertzuiop realmadrid roblox123 root1234 samantha samantha1 samsung1 samsung123 schalke04 secret123 shadow123
shopfloor shopfloor1 shopping shopping1 slipknot snoopy123 snowball sommer123 sommer2023 sommer2024 sommer2025 sommer2026
spiderman startrek starwars starwars1 stephanie summer123 summer2024 summer2025 summer2026 sunshine sunshine1 superman
superman1 sweetheart teamo123 test1234 test12345 testing1 testing123 testtest thomas123 tigger123 topsecret trustno1
twitter1 veronica victoria victoria1 welcome1 welcome1! welcome12 welcome123 whatever whatever1 willkommen winter123
winter2024 winter2025 winter2026 woaini1314 xbox3600 youtube1 zaq12wsx zaq1zaq1 zxcvbnm1 zxcvbnm123
""".split()  # noqa: SIM905 - a list that one can read
)
